// A session of MySQL for tests of its dissector.
#pragma once

#include <string>
#include <vector>

#include "tests/dissectors/mysql_packets.h"
#include "tests/kit/talk.h"

namespace probe {
extern const Dissector mysql_dissector;
}

namespace probe::test::mysql {

struct Mysql : Talk {
  Mysql() : Talk(mysql_dissector) {}
  Mysql& logged_in(std::uint32_t capabilities = kUsual, const std::string& version = "8.0.35", std::uint32_t own = 0) {
    server(greeting(version, own ? kServer & ~1u : kServer, own));
    client(login("app", "shop", capabilities, own));
    server(ok(2));
    return *this;
  }
  Mysql& ask(const std::string& request, const std::string& response) {
    after(kMillisecond);
    client(request);
    after(kMillisecond);
    server(response);
    return *this;
  }
  const Row& only() { return finish().only(); }
  std::vector<Row> rows() { return finish().rows(); }
};

inline std::vector<std::string> operations(const std::vector<Row>& rows) {
  std::vector<std::string> out;
  for (const Row& r : rows) out.push_back(r.text("databaseOperation"));
  return out;
}
using Names = std::vector<std::string>;

}  // namespace probe::test::mysql
