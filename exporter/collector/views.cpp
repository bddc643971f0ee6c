#include "exporter/collector/views.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string_view>

#include "exporter/collector/store.h"
#include "exporter/text/table.h"

namespace probe {

namespace {

struct Question {
  std::string_view name, title, sql;
};
constexpr Question kQuestions[] = {
    {"retransmission", "Retransmitted packets by server, of those with at least 100 packets",
     "SELECT coalesce(destinationIPv4Address, destinationIPv6Address) AS server, destinationTransportPort AS port,\n"
     "       sum(packetDeltaCount + reversePacketDeltaCount) AS packets,\n"
     "       round(100.0 * sum(coalesce(tcpRetransmittedPacketCount, 0)\n"
     "                         + coalesce(reverseTcpRetransmittedPacketCount, 0))\n"
     "             / sum(packetDeltaCount + reversePacketDeltaCount), 3) AS retransmitted_percent\n"
     "FROM flow WHERE protocolIdentifier = 6 GROUP BY server, port HAVING packets >= 100\n"
     "ORDER BY retransmitted_percent DESC"},
};

enum class Show : std::uint8_t { text, number, milliseconds, percent };

struct ViewColumn {
  std::string_view header;
  std::string_view sql;
  Show show = Show::text;
};
struct View {
  std::string_view name, title, table;
  std::string_view order;  // header of the column by which it is sorted, descending
  std::string_view where;
  std::span<const ViewColumn> columns;
};

constexpr std::string_view kClient =
    "coalesce(sourceIPv4Address, '[' || sourceIPv6Address || ']') || coalesce(':' || sourceTransportPort, '')";
constexpr std::string_view kServer =
    "coalesce(destinationIPv4Address, '[' || destinationIPv6Address || ']') || coalesce(':' || "
    "destinationTransportPort, '')";
constexpr std::string_view kServerAddress = "coalesce(destinationIPv4Address, destinationIPv6Address)";

constexpr ViewColumn kFlows[] = {
    {"client", kClient},
    {"server", kServer},
    {"application", "coalesce(applicationName, '')"},
    {"packets", "packetDeltaCount + coalesce(reversePacketDeltaCount, 0)", Show::number},
    {"octets", "octetDeltaCount + coalesce(reverseOctetDeltaCount, 0)", Show::number},
    {"client RTT ms", "coalesce(tcpClientRttMinMicroseconds, tcpClientHandshakeRttMicroseconds)", Show::milliseconds},
    {"server RTT ms", "coalesce(tcpServerRttMinMicroseconds, tcpServerHandshakeRttMicroseconds)", Show::milliseconds},
    {"retransmitted %",
     "100.0 * (tcpRetransmittedPacketCount + coalesce(reverseTcpRetransmittedPacketCount, 0)) / "
     "(packetDeltaCount + coalesce(reversePacketDeltaCount, 0))",
     Show::percent},
    {"response ms", "responseTimeMeanMicroseconds", Show::milliseconds},
};
constexpr ViewColumn kHttp[] = {
    {"server", kServer},
    {"method", "httpRequestMethod"},
    {"host", "httpRequestHost"},
    {"target", "httpRequestTarget"},
    {"status", "httpStatusCode", Show::number},
    {"octets", "responseOctetCount", Show::number},
    {"response ms", "responseTimeMicroseconds", Show::milliseconds},
    {"in server ms", "serverResponseTimeMicroseconds", Show::milliseconds},
    {"first byte ms", "timeToFirstByteMicroseconds", Show::milliseconds},
    {"last byte ms", "timeToLastByteMicroseconds", Show::milliseconds},
};
constexpr ViewColumn kDns[] = {
    {"client", "coalesce(sourceIPv4Address, sourceIPv6Address)"},
    {"server", kServerAddress},
    {"name", "dnsQueryName"},
    {"type", "dnsQueryType", Show::number},
    {"rcode", "dnsResponseCode", Show::number},
    {"queries", "dnsQueryCount", Show::number},
    {"answer", "coalesce(dnsAnswer, CASE WHEN dnsResponseCode IS NULL THEN '(no answer)' ELSE '' END)"},
    {"response ms", "responseTimeMicroseconds", Show::milliseconds},
};
constexpr ViewColumn kSql[] = {
    {"server", kServer},
    {"system", "databaseSystem"},
    {"user", "databaseUser"},
    {"schema", "databaseName"},
    {"statement", "coalesce(databaseStatement, databaseStatementDigestText, databaseOperation)"},
    {"rows", "databaseRowCount", Show::number},
    {"affected", "databaseAffectedRowCount", Show::number},
    {"error", "databaseErrorCode", Show::number},
    {"response ms", "responseTimeMicroseconds", Show::milliseconds},
    {"in server ms", "serverResponseTimeMicroseconds", Show::milliseconds},
};
constexpr ViewColumn kQuic[] = {
    {"client", "coalesce(sourceIPv4Address, sourceIPv6Address)"},
    {"server", kServer},
    {"octets", "requestOctetCount + quicServerOctetCount", Show::number},
    {"version", "printf('%x', quicVersion)"},
    {"client RTT ms", "quicClientHandshakeRttMicroseconds", Show::milliseconds},
    {"server RTT ms", "quicServerHandshakeRttMicroseconds", Show::milliseconds},
    {"spin RTT ms", "quicSpinRttMinMicroseconds", Show::milliseconds},
};
constexpr ViewColumn kSip[] = {
    {"asks", kClient},
    {"answers", kServer},
    {"method", "sipCommand"},
    {"from", "sipFrom"},
    {"to", "sipTo"},
    {"status", "sipStatusCode", Show::number},
    {"requests", "sipRequestCount", Show::number},
    {"response ms", "responseTimeMicroseconds", Show::milliseconds},
    {"ringing ms", "sipRingingTimeMicroseconds", Show::milliseconds},
    {"final ms", "timeToLastByteMicroseconds", Show::milliseconds},
};
constexpr ViewColumn kRtsp[] = {
    {"asks", kClient},
    {"answers", kServer},
    {"method", "rtspCommand"},
    {"URL", "rtspURL"},
    {"status", "rtspReturnCode", Show::number},
    {"session", "rtspSession"},
    {"response ms", "responseTimeMicroseconds", Show::milliseconds},
    {"in server ms", "serverResponseTimeMicroseconds", Show::milliseconds},
};
constexpr ViewColumn kRtp[] = {
    {"sender", kClient},
    {"receiver", kServer},
    {"SSRC", "printf('%08x', rtpSsrc)"},
    {"codec", "coalesce(rtpEncodingName, rtpPayloadType)"},
    {"packets", "rtpPacketCount", Show::number},
    {"lost %", "100.0 * rtpLostPacketCount / rtpExpectedPacketCount", Show::percent},
    {"jitter ms", "rfc3550JitterMicroseconds", Show::milliseconds},
    {"most jitter ms", "rtpJitterMaxMicroseconds", Show::milliseconds},
    {"MOS", "rtpMosHundredths / 100.0", Show::percent},
    {"RTT ms", "rtcpRttMicroseconds", Show::milliseconds},
    {"lost there", "rtcpLostPacketCount", Show::number},
};
constexpr View kViews[] = {
    {"flow", "Largest flows", "flow", "octets", "1", kFlows},
    {"http", "Slowest HTTP transactions", "http", "response ms", "1", kHttp},
    {"dns", "Slowest DNS queries", "dns", "response ms", "1", kDns},
    {"sql", "Slowest SQL statements", "sql", "response ms", "1", kSql},
    {"sip", "Slowest SIP transactions", "sip", "response ms", "1", kSip},
    {"rtsp", "Slowest RTSP transactions", "rtsp", "response ms", "1", kRtsp},
    {"quic", "Largest QUIC connections", "quic", "octets", "1", kQuic},
    {"rtp", "RTP streams with the greatest losses", "rtp", "lost %", "1", kRtp},
};

const View* find_view(std::string_view name) {
  const auto it = std::ranges::find(kViews, name, &View::name);
  return it == std::end(kViews) ? nullptr : it;
}

std::string cell(sqlite3_stmt* s, int i, Show show) {
  if (sqlite3_column_type(s, i) == SQLITE_NULL) return "-";
  switch (show) {
    case Show::milliseconds:
      return fmt::format("{:.3f}", sqlite3_column_double(s, i) / 1000);
    case Show::percent:
      return fmt::format("{:.2f}", sqlite3_column_double(s, i));
    default:
      return reinterpret_cast<const char*>(sqlite3_column_text(s, i));
  }
}

std::string query_of(const View& v, const ViewRequest& r) {
  const std::string_view wanted = r.sort.empty() ? v.order : std::string_view(r.sort);
  const auto sorted = std::ranges::find(v.columns, wanted, &ViewColumn::header);
  if (sorted == v.columns.end())
    throw std::runtime_error(fmt::format("{} has no column \"{}\"; there are: {}", v.name, wanted,
                                         fmt::join(view_columns(std::string(v.name)), ", ")));
  std::string columns;
  for (const ViewColumn& c : v.columns) columns += fmt::format("{}{}", columns.empty() ? "" : ", ", c.sql);
  // Rows that are equal in it stand in an order that does not depend on when they came.
  return fmt::format("SELECT {} FROM {} WHERE {} ORDER BY {} {} NULLS LAST, 1, 2, 3, 4 LIMIT {}", columns, v.table,
                     v.where, sorted->sql, sorted->show == Show::text ? "ASC" : "DESC", r.top);
}

void print_view(sqlite3* db, const View& v, const ViewRequest& r, std::FILE* out) {
  std::vector<Column> columns;
  for (const ViewColumn& c : v.columns) columns.push_back({std::string(c.header), c.show != Show::text});
  Table table(std::move(columns));
  const Statement s = prepare(db, query_of(v, r));
  while (sqlite3_step(s.get()) == SQLITE_ROW) {
    std::vector<std::string> row;
    for (std::size_t i = 0; i < v.columns.size(); ++i)
      row.push_back(cell(s.get(), static_cast<int>(i), v.columns[i].show));
    table.add(std::move(row));
  }
  if (table.empty() && r.view.empty()) return;
  fmt::print(out, "\n{}\n", v.title);
  table.print(out, terminal_width(out));
}

// The rows of a statement, as the database names and writes them.
Table rows_of(sqlite3_stmt* s, std::size_t top) {
  const int width = sqlite3_column_count(s);
  std::vector<std::vector<std::string>> rows;
  std::vector<bool> numbers(static_cast<std::size_t>(width), true);
  int step = SQLITE_ROW;
  while (rows.size() < top && (step = sqlite3_step(s)) == SQLITE_ROW) {
    std::vector<std::string>& row = rows.emplace_back();
    for (int i = 0; i < width; ++i) {
      const int type = sqlite3_column_type(s, i);
      if (type == SQLITE_TEXT || type == SQLITE_BLOB) numbers[static_cast<std::size_t>(i)] = false;
      row.push_back(cell(s, i, Show::text));
    }
  }
  if (step != SQLITE_ROW && step != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(sqlite3_db_handle(s)));
  std::vector<Column> columns;
  for (int i = 0; i < width; ++i) columns.push_back({sqlite3_column_name(s, i), numbers[static_cast<std::size_t>(i)]});
  Table table(std::move(columns));
  for (auto& row : rows) table.add(std::move(row));
  return table;
}

}  // namespace

std::vector<std::string> view_names() {
  std::vector<std::string> names;
  for (const View& v : kViews) names.emplace_back(v.name);
  return names;
}

std::vector<std::string> view_columns(const std::string& view) {
  std::vector<std::string> headers;
  if (const View* v = find_view(view))
    for (const ViewColumn& c : v->columns) headers.emplace_back(c.header);
  return headers;
}

void print_views(sqlite3* db, const ViewRequest& r, std::FILE* out) {
  if (r.view.empty()) {
    for (const View& v : kViews) {
      ViewRequest each = r;
      const auto headers = view_columns(std::string(v.name));
      if (std::ranges::find(headers, r.sort) == headers.end()) each.sort.clear();
      print_view(db, v, each, out);
    }
    return;
  }
  const View* v = find_view(r.view);
  if (!v)
    throw std::runtime_error(
        fmt::format("there are no records of kind \"{}\"; there are: {}", r.view, fmt::join(view_names(), ", ")));
  print_view(db, *v, r, out);
}

std::vector<std::string> question_names() {
  std::vector<std::string> names;
  for (const Question& q : kQuestions) names.emplace_back(q.name);
  return names;
}

void print_answer(sqlite3* db, const std::string& question, std::size_t top, std::FILE* out) {
  const auto named = std::ranges::find(kQuestions, question, &Question::name);
  const bool known = named != std::end(kQuestions);
  const Statement s = prepare(db, known ? std::string(named->sql) : question);
  if (sqlite3_column_count(s.get()) == 0) throw std::runtime_error("this is no question: it yields no rows");
  if (known) fmt::print(out, "\n{}\n\n{}\n\n", named->title, named->sql);
  rows_of(s.get(), top).print(out, terminal_width(out));
}

}  // namespace probe
