#include <algorithm>

#include "tests/bench/trace/scripts.h"
#include "tests/bench/trace/text.h"

namespace trace {
namespace {

using namespace std::string_literals;

std::string packet(std::uint8_t number, const std::string& body) {
  std::string s;
  for (const unsigned shift : {0u, 8u, 16u}) s += static_cast<char>(body.size() >> shift);
  return s + static_cast<char>(number) + body;
}

std::string counted(const std::string& s) {  // a length-encoded string
  if (s.size() < 251) return static_cast<char>(s.size()) + s;
  return "\xfc"s + static_cast<char>(s.size()) + static_cast<char>(s.size() >> 8) + s;
}

std::string greeting(Random& random) {
  const std::string second_salt = hex(random, 12), first_salt = hex(random, 8);
  return "\x0a"
         "8.0.35\0\x11\x22\0\0"s +
         first_salt + "\0\xff\xf7\x2d\x02\0\xff\xdf\x15"s + std::string(10, '\0') + second_salt +
         "\0mysql_native_password\0"s;
}

std::string login(Random& random) {
  return "\x8d\xa6\x3f\0\0\0\0\x01\x2d"s + std::string(23, '\0') + "app\0\x14"s + hex(random, 20) +
         "shop\0mysql_native_password\0"s;
}

enum class Statement { select, change, mistake };

struct Query {
  Statement kind;
  std::string table, text;
};

Query make_query(Random& random) {
  const unsigned dice = random.below(10);
  Query q{dice < 6 ? Statement::select : dice < 9 ? Statement::change : Statement::mistake, word(random), ""};
  if (q.kind == Statement::select) {
    const std::string limit = std::to_string(1 + random.below(50)), id = std::to_string(random.below(1000000));
    q.text = "SELECT id, name, price FROM " + q.table + " WHERE id = " + id + " LIMIT " + limit;
  } else if (q.kind == Statement::mistake) {
    q.text = "SELECT * FROM missing_" + q.table;
  } else if (dice < 8) {
    const std::string quantity = std::to_string(random.below(100)), token = hex(random, 24), name = word(random);
    q.text = "INSERT INTO " + q.table + " (name, token, qty) VALUES ('" + name + "','" + token + "'," + quantity + ")";
  } else {
    const std::string id = std::to_string(random.below(1000000)), name = word(random);
    q.text = "UPDATE " + q.table + " SET name='" + name + "' WHERE id=" + id;
  }
  return q;
}

std::string result_set(Random& random, const std::string& table, unsigned& rows) {
  const std::string end = "\xfe\0\0\x02\0"s;
  std::string s = packet(1, "\x03");
  std::uint8_t number = 2;
  for (const char* column : {"id", "name", "price"})
    s += packet(number++, counted("def") + counted("shop") + counted(table) + counted(table) + counted(column) +
                              counted(column) + "\x0c\x2d\0\xff\0\0\0\xfd\x01\x10\0\0\0"s);
  s += packet(number++, end);
  rows = random.below(60);
  for (unsigned i = 0; i < rows; ++i) {
    const std::string price = std::to_string(random.below(10000)), suffix = hex(random, 10), name = word(random);
    const std::string id = std::to_string(random.below(1000000));
    s += packet(number++, counted(id) + counted(name + suffix) + counted(price));
  }
  return s + packet(number, end);
}

// The reply to a statement, and what it says: rows, or the number of the error.
std::string make_reply(Random& random, const Query& q, std::string& outcome) {
  if (q.kind == Statement::select) {
    unsigned rows = 0;
    std::string s = result_set(random, q.table, rows);
    outcome = std::to_string(rows);
    return s;
  }
  outcome = q.kind == Statement::change ? "1" : "1146";
  if (q.kind == Statement::change) return packet(1, "\0\x01\0\x02\0\0\0"s);
  return packet(1, "\xff\x7a\x04#42S02Table 'shop.missing_" + q.table + "' doesn't exist");
}

MessageTimes times_of_all(const Passage& p, const std::string& text) {
  return times_of(p, 0, static_cast<std::uint32_t>(text.size()));
}

// One statement and its reply; returns when the reply's last segment passed.
Micros exchange(Connection& c, Truth& truth, unsigned number, Micros at) {
  const Query q = make_query(c.random);
  const std::string command = packet(0, "\x03" + q.text);
  const Passage asked = c.send(kUp, at, command, 0, false);
  const double thinking = std::min(4000.0, c.random.lognormal(2.5, 1.3));
  const Micros first = asked.last + static_cast<Micros>(c.server_rtt) + milliseconds(thinking) + 5;
  Transaction t;
  const std::string reply = make_reply(c.random, q, t.outcome);
  const Passage answered = c.send(kDown, first, reply, 0, true);
  t.number = number;
  t.subject = "COM_QUERY";
  t.place = q.kind == Statement::mistake ? "err" : "ok";
  t.what = q.text;
  t.asked = asked.last;
  t.to_first = first - asked.last;
  t.to_last = answered.last - asked.last;
  t.request = times_of_all(asked, command);
  t.response = times_of_all(answered, reply);
  truth.transaction(c.flow, t);
  ++truth.totals.mysql_queries;
  truth.totals.mysql_errors += q.kind == Statement::mistake;
  return answered.last;
}

// The greeting, the login and its acknowledgement; returns when the first command can come.
Micros log_in(Connection& c) {
  const auto to_server = static_cast<Micros>(c.server_rtt), to_client = static_cast<Micros>(c.client_rtt);
  Micros t = c.ready + to_server + milliseconds(1);
  t = c.send(kDown, t, packet(0, greeting(c.random)), 0, true).last + to_client + 200;
  t = c.send(kUp, t, packet(1, login(c.random)), 0, false).last + to_server + milliseconds(1);
  return c.send(kDown, t, packet(2, "\0\0\0\x02\0\0\0"s), 0, true).last + to_client + milliseconds(1);
}

}  // namespace

void script_mysql(Connection& c, Truth& truth) {
  Random& random = c.random;
  ++truth.totals.mysql_flows;
  if (!c.open()) return truth.connection(c, 0);
  Micros t = log_in(c);
  unsigned count = 2;
  while (count < 30 && random.chance(0.62)) ++count;
  for (unsigned i = 0; i < count; ++i)
    t = exchange(c, truth, i, t) + static_cast<Micros>(c.client_rtt) +
        milliseconds(1 + std::min(8000.0, random.lognormal(150, 1.5)));
  t = c.send(kUp, t, packet(0, "\x01"), 0, false).last;
  c.close_by_client(t + 50, 0);
  truth.connection(c, count);
}

}  // namespace trace
