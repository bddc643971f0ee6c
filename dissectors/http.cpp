// HTTP/1.0 and 1.1 (RFC 9110, 9112): one record a transaction. Heads are read line by line, bodies go by unread.
#include <algorithm>
#include <array>
#include <string_view>

#include "dissectors/dissector.h"
#include "dissectors/kit/http_exchanges.h"
#include "dissectors/kit/http_guess.h"
#include "dissectors/kit/http_head.h"
#include "dissectors/kit/http_line.h"
#include "dissectors/kit/keep_text.h"

namespace probe {
namespace {

using namespace http;

template <schema::Name Field>
void keep(Request& r, std::string_view value) {
  if (!keep_text<Field>(r.draft, value)) r.mark(Quality::text_cut);
}

class Http final : public Session {
 public:
  static Guess guess(Bytes first, Side) { return guess_http(first); }
  Step on_data(Side from, Bytes data, Arrival at, Scribe&) override;
  void on_gap(Side, std::uint64_t octets, Scribe&) override;
  void on_side_end(Side, Arrival at, Scribe&) override;
  void on_end(Scribe& scribe) override { exchanges_.finish(scribe); }

 private:
  enum class Phase : std::uint8_t {
    start,  // before a start line
    fields,
    body,  // `rest` octets of it to come
    chunk_size,
    chunk,  // `rest` octets of it to come
    chunk_end,
    trailers,
    to_close,
    lost,   // looks for the next start line
    opaque  // not HTTP any more, or nothing comes any more
  };
  // Where one side's messages are.
  struct Reader {
    Phase phase = Phase::start;
    bool going_on = false;  // in the middle of a line too long to be kept
    bool interim = false;   // server: this response is not the final one
    std::uint16_t status = 0;
    std::uint64_t rest = 0;
    std::uint64_t octets = 0;  // of this message so far
    Framing framing;
  };

  // One line, or the rest of a body, from the front of `s`.
  Step take(Side, std::string_view s, Arrival, Scribe&);
  Step start(Side, std::string_view s, Arrival, Scribe&);
  bool start_request(Reader&, const Line&, Arrival, Scribe&);
  bool start_response(Reader&, const Line&, Arrival, Scribe&);
  Step fields(Side, std::string_view s, Arrival, Scribe&);
  void field(Side, const Line&);
  void end_of_head(Side, Arrival, Scribe&);
  Step body(Side, std::string_view s, Arrival, Scribe&);
  Step chunk_size(Side, std::string_view s, Scribe&);
  Step chunk_end(Side, std::string_view s, Scribe&);
  Step lost(Side, std::string_view s);
  void expect(Side, Body, Arrival, Scribe&);
  void end_of_message(Side, Nanos last, Scribe&);
  void end_of_rest(Side, Arrival, Scribe&);
  void lose(Side, bool missing, Scribe&);
  Reader& reader(Side s) { return readers_[index_of(s)]; }
  static Step passed(Reader& r, std::size_t n) {
    r.octets += n;
    return Step::used(n);
  }

  std::array<Reader, 2> readers_;
  bool begun_ = false;  // a start line was seen
  Exchanges exchanges_;
};

Step Http::on_data(Side from, Bytes data, Arrival at, Scribe& scribe) {
  Reader& r = reader(from);
  if (from == Side::client && exchanges_.request()) exchanges_.request()->last = at.last;
  if (data.empty()) {
    if (r.phase == Phase::opaque) return Step::skip(kToTheEnd);
    end_of_rest(from, at, scribe);
    return Step::used(0);
  }
  const std::string_view s = as_text(data);
  std::size_t used = 0;
  do {
    const Step step = take(from, s.substr(used), at, scribe);
    if (step.what == Step::What::need) return used > 0 ? Step::used(used) : step;
    if (step.what != Step::What::used) return step;
    used += step.octets;
    // The next message gets a call of its own, and with it the time of its first octet.
    if (r.phase == Phase::start && !r.going_on && used > 0) break;
  } while (used < s.size());
  if (r.phase != Phase::body && r.phase != Phase::chunk) return Step::used(used);
  return Step::skip(r.rest < kToTheEnd - used ? used + r.rest : kToTheEnd);
}

Step Http::take(Side from, std::string_view s, Arrival at, Scribe& scribe) {
  Reader& r = reader(from);
  switch (r.phase) {
    case Phase::start:
      return start(from, s, at, scribe);
    case Phase::fields:
    case Phase::trailers:
      return fields(from, s, at, scribe);
    case Phase::body:
    case Phase::chunk:
      return body(from, s, at, scribe);
    case Phase::chunk_size:
      return chunk_size(from, s, scribe);
    case Phase::chunk_end:
      return chunk_end(from, s, scribe);
    case Phase::to_close:
      return passed(r, s.size());
    case Phase::lost:
      return lost(from, s);
    case Phase::opaque:
      break;
  }
  return Step::skip(kToTheEnd);
}

Step Http::start(Side from, std::string_view s, Arrival at, Scribe& scribe) {
  Reader& r = reader(from);
  if (!r.going_on) {
    // RFC 9112 §2.2: empty lines before a request are overlooked.
    if (const std::size_t empty = std::min(s.find_first_not_of("\r\n"), s.size()); empty > 0) return Step::used(empty);
    const bool possible = from == Side::client ? may_become_request(s) : may_become_status(s);
    if (!possible && begun_) {
      lose(from, false, scribe);
      return Step::used(0);
    }
    if (!possible) return Step::not_ours();
  }
  const Line line = read_line(s, false, r.going_on);
  if (!line.whole && line.octets == 0) return Step::need(s.size() + 1);
  const bool good = from == Side::client ? start_request(r, line, at, scribe) : start_response(r, line, at, scribe);
  if (!good) {
    if (!begun_) return Step::not_ours();
    lose(from, false, scribe);
    return Step::used(line.octets);
  }
  begun_ = true;
  r.going_on = !line.whole;
  if (line.whole) r.phase = Phase::fields;
  return passed(r, line.octets);
}

bool Http::start_request(Reader& r, const Line& line, Arrival at, Scribe& scribe) {
  if (r.going_on) {
    if (!line.whole) return true;
    const std::size_t blank = line.tail.find_last_of(' ');
    const RequestLine end = parse_request_line("GET ?", line.tail);
    if (blank == line.tail.npos || end.version.empty()) return exchanges_.drop_request(), false;
    if (Request* q = exchanges_.request()) keep<"httpMessageVersion">(*q, end.version);
    return true;
  }
  const RequestLine parsed = !line.whole ? parse_request_front(line.text)
                             : line.cut  ? parse_request_line(line.text, line.tail)
                                         : parse_request_line(line.text);
  if (parsed.method.empty()) return false;
  r.octets = 0;
  r.framing = {};
  Request& q = exchanges_.begin_request(at, scribe);
  q.to_head = parsed.method == "HEAD";
  q.to_connect = parsed.method == "CONNECT";
  keep<"httpRequestMethod">(q, parsed.method);
  keep<"httpRequestTarget">(q, parsed.target);
  keep<"httpMessageVersion">(q, parsed.version);
  // RFC 9112 §3.2.2: a target in absolute form overrides the Host field.
  keep<"httpRequestHost">(q, authority_of(parsed.target));
  return true;
}

bool Http::start_response(Reader& r, const Line& line, Arrival at, Scribe& scribe) {
  if (r.going_on) return true;
  const StatusLine parsed = parse_status_line(line.text);
  if (parsed.version.empty()) return false;
  r.octets = 0;
  r.framing = {};
  r.status = parsed.status;
  // RFC 9110 §15.2: a 1xx comes before the final response; after a 101 comes another protocol.
  r.interim = r.status < 200 && r.status != 101;
  if (r.interim) return true;
  exchanges_.begin_response(at, scribe);
  Request& q = exchanges_.answered();
  q.draft.set<"httpStatusCode">(r.status);
  keep<"httpMessageVersion">(q, parsed.version);
  return true;
}

Step Http::fields(Side from, std::string_view s, Arrival at, Scribe& scribe) {
  Reader& r = reader(from);
  const Line line = read_line(s, true, r.going_on);
  if (!line.whole && line.octets == 0) return Step::need(s.size() + 1);
  const bool end = line.whole && !r.going_on && line.text.empty();
  const bool trailers = r.phase == Phase::trailers;
  if (!r.going_on && !end && !trailers) field(from, line);
  r.going_on = !line.whole;
  const Step step = passed(r, line.octets);
  if (end && trailers) end_of_message(from, at.last, scribe);
  if (end && !trailers) end_of_head(from, at, scribe);
  return step;
}

void Http::field(Side from, const Line& line) {
  Reader& r = reader(from);
  char room[kLineKept];
  const FieldLine f = parse_field(line.folded ? unfold(line.text, room) : line.text);
  if (f.field == Field::content_length) return r.framing.add_content_length(f.value);
  if (f.field == Field::transfer_encoding) return r.framing.add_transfer_encoding(f.value);
  if (from == Side::server) {
    if (f.field == Field::content_type && !r.interim) keep<"httpContentType">(exchanges_.answered(), f.value);
    return;
  }
  Request* q = exchanges_.request();
  if (!q) return;
  switch (f.field) {
    case Field::host:
      return keep<"httpRequestHost">(*q, f.value);
    case Field::user_agent:
      return keep<"httpUserAgent">(*q, f.value);
    case Field::referer:
      return keep<"httpReferer">(*q, f.value);
    case Field::forwarded_for:
      return keep<"httpForwardedFor">(*q, f.value);
    default:
      return;
  }
}

void Http::end_of_head(Side from, Arrival at, Scribe& scribe) {
  Reader& r = reader(from);
  if (from == Side::client) {
    // RFC 9112 §3.2.3: the target of CONNECT is the authority.
    if (Request* q = exchanges_.request(); q && q->to_connect)
      keep<"httpRequestHost">(*q, q->draft.text<"httpRequestTarget">());
    return expect(from, r.framing.of_request(), at, scribe);
  }
  if (r.interim) return end_of_message(from, at.last, scribe);
  Request& q = exchanges_.answered();
  // RFC 9110 §9.3.6, §15.2.2: from here on the octets of both sides are another protocol's.
  if (r.status == 101 || (q.to_connect && r.status >= 200 && r.status < 300)) {
    q.mark(Quality::opaque);
    end_of_message(from, at.last, scribe);
    exchanges_.flush(bit_of(Quality::half_transaction) | bit_of(Quality::opaque), scribe);
    for (Reader& each : readers_) each.phase = Phase::opaque;
    return;
  }
  expect(from, r.framing.of_response(r.status, q.to_head), at, scribe);
}

void Http::expect(Side from, Body b, Arrival at, Scribe& scribe) {
  Reader& r = reader(from);
  r.rest = r.framing.length();
  if (b == Body::none) return end_of_message(from, at.last, scribe);
  if (b == Body::unknown) return lose(from, false, scribe);
  r.phase = b == Body::sized ? Phase::body : b == Body::chunked ? Phase::chunk_size : Phase::to_close;
}

Step Http::body(Side from, std::string_view s, Arrival at, Scribe& scribe) {
  Reader& r = reader(from);
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(r.rest, s.size()));
  r.rest -= n;
  const Step step = passed(r, n);
  if (r.rest == 0) end_of_rest(from, at, scribe);
  return step;
}

// What was skipped has passed.
void Http::end_of_rest(Side from, Arrival at, Scribe& scribe) {
  Reader& r = reader(from);
  r.octets += r.rest;
  r.rest = 0;
  if (r.phase == Phase::chunk) r.phase = Phase::chunk_end;
  if (r.phase == Phase::body) end_of_message(from, at.last, scribe);
}

Step Http::chunk_size(Side from, std::string_view s, Scribe& scribe) {
  Reader& r = reader(from);
  const Line line = read_line(s, false, r.going_on);
  if (!line.whole && line.octets == 0) return Step::need(s.size() + 1);
  if (line.whole && !r.going_on && line.text.empty()) return passed(r, line.octets);  // one too many
  if (!r.going_on && !parse_chunk_size(line.text, r.rest)) {
    lose(from, false, scribe);
    return Step::used(0);
  }
  r.going_on = !line.whole;
  if (line.whole) r.phase = r.rest > 0 ? Phase::chunk : Phase::trailers;
  return passed(r, line.octets);
}

Step Http::chunk_end(Side from, std::string_view s, Scribe& scribe) {
  Reader& r = reader(from);
  if (s == "\r") return Step::need(2);
  const std::size_t n = s.starts_with("\r\n") ? 2 : s.starts_with('\n') ? 1 : 0;
  if (n == 0)
    lose(from, false, scribe);
  else
    r.phase = Phase::chunk_size;
  return passed(r, n);
}

// Looks through lines for one that starts a message. What stands at the front of the data counts as a line: that is
// mostly the front of a segment, where messages like to begin.
Step Http::lost(Side from, std::string_view s) {
  std::size_t at = 0;
  while (at < s.size()) {
    const std::string_view rest = s.substr(at);
    const bool possible = from == Side::client ? may_become_known_request(rest) : may_become_status(rest);
    const std::size_t feed = rest.find('\n');
    if (feed == rest.npos) {
      if (possible && rest.size() < kLineKept) return at > 0 ? Step::used(at) : Step::need(s.size() + 1);
      return Step::used(s.size());
    }
    const std::string_view line = rest.substr(0, feed);
    const bool found = possible && (from == Side::client ? !parse_request_line(line).version.empty()
                                                         : parse_status_line(line).version.starts_with("HTTP/1."));
    if (found) {
      reader(from) = Reader{};
      return Step::used(at);
    }
    at += feed + 1;
  }
  return Step::used(at);
}

void Http::end_of_message(Side from, Nanos last, Scribe& scribe) {
  Reader& r = reader(from);
  if (Request* q = exchanges_.request(); q && from == Side::client) {
    q->octets = r.octets;
    exchanges_.end_request(scribe);
  }
  if (from == Side::server && !r.interim) {
    exchanges_.add_response_octets(r.octets);
    exchanges_.end_response(last, scribe);
  }
  r = Reader{};
}

// The thread is lost on this side: commit what is half done, and look for the next message. `missing`: octets were not
// seen; else they made no sense.
void Http::lose(Side from, bool missing, Scribe& scribe) {
  Reader& r = reader(from);
  if (from == Side::client) {
    if (Request* q = exchanges_.request()) q->octets = r.octets;
    exchanges_.lose_requests(scribe);
  } else {
    exchanges_.add_response_octets(r.octets);
    exchanges_.lose_responses(missing, scribe);
  }
  r = Reader{};
  r.phase = Phase::lost;
}

void Http::on_gap(Side from, std::uint64_t octets, Scribe& scribe) {
  Reader& r = reader(from);
  if (r.phase == Phase::opaque) return;
  if (r.phase == Phase::to_close)
    r.octets += octets;
  else
    lose(from, true, scribe);
}

void Http::on_side_end(Side from, Arrival at, Scribe& scribe) {
  Reader& r = reader(from);
  if (from == Side::client) {
    if (Request* q = exchanges_.request()) q->octets = r.octets;
    exchanges_.cut_request(scribe);
  } else if (r.phase == Phase::to_close || r.phase == Phase::trailers) {
    end_of_message(from, at.last, scribe);
  } else {
    exchanges_.add_response_octets(r.octets);
    if (exchanges_.answering()) exchanges_.cut_response(scribe);
  }
  r.phase = Phase::opaque;
}

constexpr std::uint16_t kPorts[] = {80, 8080, 8000, 8008, 8081, 3128, 8888, 5985};

}  // namespace

extern const Dissector http_dissector;
const Dissector http_dissector = describe<Http>("http", Over::tcp, kPorts);

}  // namespace probe
