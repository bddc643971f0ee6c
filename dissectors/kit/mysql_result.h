// The answer of the server to one command, told packet by packet. Nothing of it is kept but numbers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dissectors/kit/mysql_command.h"
#include "dissectors/kit/mysql_packet.h"
#include "exporter/record/record.h"
#include "probe/base/bytes.h"

namespace probe::mysql {

// What client and server agreed on; for a start in the midst of a stream it is learnt from what comes.
struct Terms {
  enum class Eof : std::uint8_t { unknown, sent, left_out };  // the packets that end descriptions
  Eof eof = Eof::unknown;
  bool known = false;
  bool metadata_flag = false;  // the column count is followed by whether descriptions come
  bool attributes = false;     // a query is preceded by attributes
  std::uint32_t capabilities = 0;

  static Terms of(std::uint32_t capabilities, std::uint32_t mariadb_capabilities);
  Attributes query_attributes() const {
    return !known ? Attributes::unknown : attributes ? Attributes::yes : Attributes::no;
  }
};

class Result {
 public:
  enum class Progress : std::uint8_t {
    more,     // the answer goes on
    interim,  // this was not yet the answer
    infile,   // not yet: the client is to send a file
    done,     // the last packet; prepared: statement() is known
    failed,   // the last packet: an ERR
    lost      // this cannot be
  };

  void expect(Answer answer);
  // How many octets of a payload take() wants to see at most. `begun`: not the first packet since expect().
  std::size_t wanted(bool begun, std::uint8_t first) const;
  // One packet, with as much of its payload as was wanted or is there.
  Progress take(std::uint32_t length, Bytes body, Terms&);
  // Counts rows that lie whole at the front of `data`, which holds packets; how many octets they take.
  std::size_t pass_rows(Bytes data);

  // Rows, and for statements also what they changed.
  void write_counts(Draft<"sql">&, Command) const;
  std::uint32_t statement() const { return statement_; }

 private:
  enum class Stage : std::uint8_t { first, columns, columns_end, rows, parameters, parameters_end };

  Progress first(std::uint32_t length, Bytes body, Terms&);
  Progress ok(Bytes body);
  Progress result_set(Bytes body, Terms&);
  Progress prepared(Bytes body, const Terms&);
  Progress described(Terms&);
  Progress end_of_columns(std::uint32_t length, Bytes body, Terms&);
  Progress end_of_parameters(std::uint32_t length, Bytes body, Terms&);
  Progress end_of_results(std::uint16_t status);
  Progress row(std::uint32_t length, Bytes body);

  std::uint64_t rows_ = 0;
  std::uint64_t affected_ = 0;
  std::uint32_t statement_ = 0;
  std::uint16_t left_ = 0;     // descriptions that still come
  std::uint16_t columns_ = 0;  // of a prepared statement, behind its parameters
  Answer answer_ = Answer::none;
  Stage stage_ = Stage::first;
  bool has_rows_ = false;
  bool has_affected_ = false;
};

}  // namespace probe::mysql
