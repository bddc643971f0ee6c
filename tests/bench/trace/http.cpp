#include <algorithm>
#include <vector>

#include "tests/bench/trace/scripts.h"
#include "tests/bench/trace/text.h"

namespace trace {
namespace {

struct Request {
  std::string method, url, text;
  std::uint32_t body = 0;
  Micros asked = 0;  // when its last octet, or the last repetition, passed
  MessageTimes times;
};

struct Response {
  int status = 0;
  std::string text;
  std::uint32_t body = 0;  // octets of filler behind the text
};

std::string make_url(Random& random) {
  std::string url = "/";
  const unsigned parts = 1 + random.below(4);
  for (unsigned i = 0; i < parts; ++i) url += (i > 0 ? "/" : "") + word(random);
  url += "/" + hex(random, 8);
  if (random.chance(0.5)) {
    const std::string query = word(random);
    url += "?id=" + hex(random, 12) + "&q=" + query;
  }
  return url;
}

Request make_request(Random& random, const std::string& host) {
  Request q;
  const double dice = random.unit();
  q.method = dice < 0.86 ? "GET" : dice < 0.96 ? "POST" : dice < 0.98 ? "HEAD" : "PUT";
  q.url = make_url(random);
  q.text = q.method + " " + q.url + " HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: ";
  q.text += user_agent(random);
  q.text += "\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate, br\r\n";
  if (random.chance(0.4)) q.text += "Referer: http://" + host + "/" + word(random) + "/\r\n";
  if (random.chance(0.6)) {
    const std::string token = hex(random, 16 + random.below(100));
    q.text += "Cookie: sid=" + hex(random, 32) + "; t=" + token + "\r\n";
  }
  if (q.method == "POST" || q.method == "PUT") {
    q.body = 64 + static_cast<std::uint32_t>(std::min(8000.0, random.lognormal(500, 1)));
    q.text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(q.body) + "\r\n";
  }
  q.text += "Connection: keep-alive\r\n\r\n";
  return q;
}

const char* reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 404:
      return "Not Found";
    default:
      return "Internal Server Error";
  }
}

void append_chunks(Random& random, std::uint32_t octets, std::string& to) {
  while (octets > 0) {
    const std::uint32_t n = std::min(octets, 512 + random.below(8000));
    char size[16];
    std::snprintf(size, sizeof size, "%x\r\n", n);
    to += size;
    to.append(filler(), random.below(1000000), n);
    to += "\r\n";
    octets -= n;
  }
  to += "0\r\n\r\n";
}

Response make_response(Random& random, const std::string& method, Totals& totals) {
  static constexpr const char* kTypes[] = {"text/html; charset=utf-8", "application/json", "image/jpeg",
                                           "application/javascript", "text/css"};
  Response r;
  const double dice = random.unit();
  r.status = dice < 0.86 ? 200 : dice < 0.91 ? 304 : dice < 0.95 ? 404 : dice < 0.98 ? 302 : 500;
  std::uint32_t length = static_cast<std::uint32_t>(std::min(400000.0, random.lognormal(5000, 1.25))) + 50;
  const bool bodiless = r.status == 304 || method == "HEAD";
  r.text = "HTTP/1.1 " + std::to_string(r.status) + " " + reason_of(r.status) + "\r\n";
  r.text += "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\nServer: nginx/1.24.0\r\nContent-Type: ";
  r.text += kTypes[random.below(5)];
  r.text += "\r\nETag: \"" + hex(random, 16) + "\"\r\nCache-Control: max-age=600\r\n";
  if (r.status == 302) r.text += "Location: /login\r\n";
  if (r.status != 200 && r.status != 304) length = 150 + random.below(400);
  const bool chunked = !bodiless && random.chance(0.15);
  if (chunked)
    r.text += "Transfer-Encoding: chunked\r\n";
  else if (r.status != 304)
    r.text += "Content-Length: " + std::to_string(length) + "\r\n";
  r.text += "Connection: keep-alive\r\n\r\n";
  if (chunked) append_chunks(random, length, r.text);
  r.body = bodiless || chunked ? 0 : length;
  totals.http_head += method == "HEAD";
  totals.http_chunked += chunked;
  return r;
}

void send_request(Connection& c, Micros at, Request& q) {
  const Passage p = c.send(kUp, at, q.text, q.body, false);
  q.asked = p.last;
  q.times = times_of(p, 0, static_cast<std::uint32_t>(q.text.size()) + q.body);
}

// Two GETs in one message.
std::vector<Request> send_pipelined(Connection& c, Micros at, const std::string& host) {
  std::vector<Request> requests;
  std::string all;
  while (requests.size() < 2) {
    Request q = make_request(c.random, host);
    if (q.method != "GET") continue;
    all += q.text;
    requests.push_back(std::move(q));
  }
  const Passage p = c.send(kUp, at, all, 0, false);
  std::uint32_t begin = 0;
  for (Request& q : requests) {
    const auto end = begin + static_cast<std::uint32_t>(q.text.size());
    q.asked = p.last;
    q.times = times_of(p, begin, end);
    begin = end;
  }
  return requests;
}

// The answer to a request; returns when its last segment passed.
Micros answer(Connection& c, Truth& truth, const Request& q, const std::string& host, unsigned number, Micros asked) {
  const auto travel = static_cast<Micros>(c.server_rtt);
  const double thinking = std::min(3000.0, c.random.lognormal(12, 1.2));
  if (thinking > 40) c.acknowledge(asked + travel + 40000, kDown);  // delayed, without data (RFC 9293 §3.8.6.3)
  const Response r = make_response(c.random, q.method, truth.totals);
  const Micros first = std::max(asked + travel + milliseconds(thinking), asked + 1);
  const Passage p = c.send(kDown, first, r.text, r.body, true);
  Transaction t;
  t.number = number;
  t.subject = q.method;
  t.place = host;
  t.what = q.url;
  t.status = r.status;
  t.asked = q.asked;
  t.to_first = first - q.asked;
  t.to_last = p.last - q.asked;
  t.request = q.times;
  t.response = times_of(p, 0, static_cast<std::uint32_t>(r.text.size()) + r.body);
  truth.transaction(c.flow, t);
  ++truth.totals.http_requests;
  return p.last;
}

}  // namespace

void script_http(Connection& c, Truth& truth) {
  Random& random = c.random;
  ++truth.totals.http_flows;
  if (!c.open()) return truth.connection(c, 0);
  unsigned count = 1;
  while (count < 12 && random.chance(0.22)) ++count;
  const bool pipelined = count >= 2 && random.chance(0.08);
  truth.totals.http_pipelined_flows += pipelined;
  const std::string host = host_name(random);
  Micros t = c.ready;
  std::vector<Request> requests;
  if (pipelined) {
    requests = send_pipelined(c, t, host);
    t = requests[0].asked;
  }
  for (unsigned i = 0; i < count; ++i) {
    if (i == requests.size()) {
      requests.push_back(make_request(random, host));
      send_request(c, t, requests[i]);
      t = requests[i].asked;
    }
    const Micros last = answer(c, truth, requests[i], host, i, t);
    if (pipelined && i == 0)
      t = last + 10;
    else
      t = last + static_cast<Micros>(c.client_rtt) + milliseconds(5 + std::min(15000.0, random.lognormal(700, 1.3)));
  }
  t += milliseconds(std::min(30000.0, random.lognormal(12000, 1)));
  if (random.chance(0.05))
    c.reset_by_client(t);
  else
    c.close_by_client(t, 10);
  truth.connection(c, count);
}

}  // namespace trace
