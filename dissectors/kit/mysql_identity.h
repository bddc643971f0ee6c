// Who talks to which server, and on what terms: what greeting and login tell.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "dissectors/dissector.h"
#include "dissectors/kit/mysql_packet.h"
#include "dissectors/kit/mysql_result.h"

namespace probe::mysql {

// A short text that a session remembers, cut at what its element keeps.
template <std::size_t N>
class Name {
 public:
  void set(std::string_view s) {
    length_ = static_cast<std::uint8_t>(std::min(s.size(), N));
    std::copy_n(s.data(), length_, letters_);
  }
  std::string_view get() const { return {letters_, length_}; }

 private:
  std::uint8_t length_ = 0;
  char letters_[N];
};

struct Identity {
  bool greeted = false;     // the server spoke first, and was heard
  bool login_seen = false;  // or a command, which comes later
  bool mariadb = false;
  std::uint32_t server_capabilities = ~0u, server_mariadb_capabilities = ~0u;
  Terms terms;
  Name<48> version;
  Name<64> user, database;

  void take(const Greeting& g) {
    greeted = true;
    mariadb = g.mariadb;
    version.set(g.version);
    server_capabilities = g.capabilities;
    server_mariadb_capabilities = g.mariadb_capabilities;
  }
  void take(const Login& l) {
    login_seen = true;
    user.set(l.user);
    database.set(l.database);
    terms = Terms::of(l.capabilities & server_capabilities, l.mariadb_capabilities & server_mariadb_capabilities);
  }
  // "mysql" without a greeting, which alone could say more.
  void write(Draft<"sql">& d) const {
    d.set<"databaseSystem">(mariadb ? "mariadb" : "mysql");
    d.set<"databaseServerVersion">(version.get());
    d.set<"databaseUser">(user.get());
    d.set<"databaseName">(database.get());
  }
};

}  // namespace probe::mysql
