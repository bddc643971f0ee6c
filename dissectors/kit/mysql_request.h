// What the commands of a client say, and the prepared statements that some of them only name.
#pragma once

#include <cstdint>
#include <string_view>

#include "dissectors/kit/mysql_identity.h"
#include "dissectors/kit/mysql_pending.h"
#include "dissectors/kit/mysql_statements.h"

namespace probe::mysql {

// How much of a statement is there: longer ones than a dissector can ask for are long, those of which the capture lost
// something are torn.
enum class Extent : std::uint8_t { whole, long_one, torn };

class Requests {
 public:
  // Writes the newest command of the queue into its draft. `body`: its payload; `whole`: all of it.
  void describe(PendingQueue&, Bytes body, bool whole, Identity&, Notebook&);
  // A command that gets no answer.
  void unanswered(Bytes body, Notebook&);
  // The server has given a number to a statement, whose note this takes over.
  void prepared(std::uint32_t id, Notebook::Note, Notebook&);
  void forget(Notebook& notes) { statements_.clear(notes); }

 private:
  void query(Pending&, Bytes rest, Extent, Attributes, Notebook&);
  void prepare(Pending&, std::string_view text, Extent, Notebook&);
  void execute(Pending&, Notebook::Note);
  void change_user(Bytes rest, Identity&, Notebook&);
  Notebook::Note statement(PendingQueue&, Bytes rest) const;

  Statements statements_;
  std::uint32_t last_ = 0;  // the last that was prepared
};

}  // namespace probe::mysql
