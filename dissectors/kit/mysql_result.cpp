#include "dissectors/kit/mysql_result.h"

#include <utility>

namespace probe::mysql {
namespace {

// A row can begin with the same octet, but is then as long as a packet can be.
bool is_end(std::uint32_t length, Bytes body) { return body[0] == kEof && length < kLongest; }
// Not the OK packet that replaces it, which has at least 7 octets.
bool is_eof(std::uint32_t length, Bytes body) { return body[0] == kEof && length <= 5; }

}  // namespace

Terms Terms::of(std::uint32_t capabilities, std::uint32_t mariadb_capabilities) {
  Terms t;
  t.known = true;
  t.capabilities = capabilities;
  t.eof = capabilities & kDeprecateEof ? Eof::left_out : Eof::sent;
  t.metadata_flag = (capabilities & kOptionalMetadata) || (mariadb_capabilities & kCacheMetadata);
  t.attributes = t.capabilities & kQueryAttributes;
  return t;
}

void Result::expect(Answer answer) {
  *this = Result();
  answer_ = answer;
  if (answer != Answer::rows) return;
  stage_ = Stage::rows;
  has_rows_ = true;
}

std::size_t Result::wanted(bool begun, std::uint8_t first) const {
  constexpr std::size_t kErrorOctets = 1 + 2 + 6 + 512, kOkOctets = 1 + 9 + 9 + 2 + 2;
  if (first == kError) return kErrorOctets;
  return !begun || stage_ == Stage::first || first == kEof ? kOkOctets : 1;
}

std::size_t Result::pass_rows(Bytes data) {
  if (stage_ != Stage::rows) return 0;
  std::size_t at = 0;
  while (data.size() - at > kHeaderOctets) {
    const std::uint32_t length = header_of(data.subspan(at)).length;
    if (length > data.size() - at - kHeaderOctets || length == 0 || data[at + kHeaderOctets] >= kEof) break;
    ++rows_;
    at += kHeaderOctets + length;
  }
  return at;
}

void Result::write_counts(Draft<"sql">& draft, Command c) const {
  const bool statement = c == Command::query || c == Command::stmt_execute || c == Command::stmt_bulk_execute;
  if (has_rows_) draft.set<"databaseRowCount">(rows_);
  if (has_affected_ && statement) draft.set<"databaseAffectedRowCount">(affected_);
}

Result::Progress Result::take(std::uint32_t length, Bytes body, Terms& terms) {
  if (body.empty()) return Progress::more;
  if (body[0] == kError) {
    const auto e = read_error(body);
    if (stage_ != Stage::first && !e) return Progress::lost;
    return e && e->code == kProgressReport ? Progress::interim : Progress::failed;
  }
  switch (stage_) {
    case Stage::first:
      return first(length, body, terms);
    case Stage::columns:
      return --left_ == 0 ? described(terms) : Progress::more;
    case Stage::columns_end:
      return end_of_columns(length, body, terms);
    case Stage::parameters:
      return --left_ == 0 ? described(terms) : Progress::more;
    case Stage::parameters_end:
      return end_of_parameters(length, body, terms);
    case Stage::rows:
      return row(length, body);
  }
  return Progress::lost;
}

Result::Progress Result::first(std::uint32_t length, Bytes body, Terms& terms) {
  switch (answer_) {
    case Answer::line:
      return Progress::done;
    case Answer::login:
      return body[0] == kOk ? Progress::done : Progress::more;
    case Answer::prepared:
      return body[0] == kOk ? prepared(body, terms) : Progress::lost;
    case Answer::stream:
      return Progress::more;
    case Answer::definitions:
      return is_end(length, body) ? Progress::done : Progress::more;
    default:
      break;
  }
  if (body[0] == kOk) return ok(body);
  if (is_end(length, body)) return end_of_results(status_of_eof(body));
  if (body[0] == kInfile) return Progress::infile;
  return result_set(body, terms);
}

Result::Progress Result::ok(Bytes body) {
  const auto ok = read_ok(body);
  if (!ok) return Progress::lost;
  has_affected_ = true;
  affected_ += ok->affected_rows;
  return end_of_results(ok->status);
}

Result::Progress Result::result_set(Bytes body, Terms& terms) {
  constexpr std::uint64_t kMostColumns = 0xffff;  // servers allow 4096
  Cursor c(body);
  const std::uint64_t columns = encoded_number(c);
  if (!c.ok() || columns == 0 || columns > kMostColumns) return Progress::lost;
  const bool flagged = terms.known ? terms.metadata_flag : c.left() == 1;
  const bool described_again = !flagged || c.left() == 0 || c.u8() != 0;
  has_rows_ = true;
  left_ = described_again ? static_cast<std::uint16_t>(columns) : std::uint16_t{0};
  stage_ = Stage::columns;
  return left_ > 0 ? Progress::more : described(terms);
}

Result::Progress Result::prepared(Bytes body, const Terms& terms) {
  Cursor c(body);
  c.skip(1);
  statement_ = c.u32_le();
  columns_ = c.u16_le();
  left_ = c.u16_le();
  if (!c.ok()) return Progress::lost;
  c.skip(1 + 2);  // filler, warnings
  if ((terms.capabilities & kOptionalMetadata) && c.left() > 0 && c.u8() == 0) return Progress::done;
  if (left_ == 0) left_ = std::exchange(columns_, std::uint16_t{0});
  if (left_ == 0) return Progress::done;
  stage_ = Stage::parameters;
  return Progress::more;
}

// All descriptions of a kind have come. What ends them is not known in the midst of a stream: then a prepared
// statement that would end with it ends before it, and the packet, if it comes, belongs to nothing.
Result::Progress Result::described(Terms& terms) {
  const bool left_out = terms.eof == Terms::Eof::left_out;
  if (stage_ == Stage::columns) {
    stage_ = left_out ? Stage::rows : Stage::columns_end;
    return Progress::more;
  }
  if (columns_ == 0 && terms.eof != Terms::Eof::sent) return Progress::done;
  stage_ = Stage::parameters_end;
  if (left_out) {
    left_ = std::exchange(columns_, std::uint16_t{0});
    stage_ = Stage::parameters;
  }
  return Progress::more;
}

Result::Progress Result::end_of_columns(std::uint32_t length, Bytes body, Terms& terms) {
  stage_ = Stage::rows;
  if (!is_eof(length, body)) {
    terms.eof = Terms::Eof::left_out;
    return row(length, body);
  }
  terms.eof = Terms::Eof::sent;
  // The rows stay with the cursor until they are fetched.
  return status_of_eof(body) & kCursorExists ? Progress::done : Progress::more;
}

Result::Progress Result::end_of_parameters(std::uint32_t length, Bytes body, Terms& terms) {
  const bool eof = is_eof(length, body);
  terms.eof = eof ? Terms::Eof::sent : Terms::Eof::left_out;
  if (columns_ == 0) return eof ? Progress::done : Progress::lost;
  left_ = std::exchange(columns_, std::uint16_t{0});
  stage_ = Stage::parameters;
  return eof || --left_ > 0 ? Progress::more : described(terms);
}

Result::Progress Result::row(std::uint32_t length, Bytes body) {
  if (is_end(length, body)) return end_of_results(status_of_eof(body));
  ++rows_;
  return Progress::more;
}

Result::Progress Result::end_of_results(std::uint16_t status) {
  stage_ = Stage::first;
  return answer_ == Answer::result && (status & kMoreResults) ? Progress::more : Progress::done;
}

}  // namespace probe::mysql
