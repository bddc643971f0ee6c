// A Scribe for tests: keeps what is committed as plain maps from element name to value, and gives the records back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dissectors/dissector.h"
#include "probe/base/quality.h"

namespace probe::test {

// A record as a test reads it.
struct Row {
  std::string kind;
  std::map<std::string, std::string> texts;
  std::map<std::string, std::uint64_t> numbers;
  Exchange exchange;

  bool has(const std::string& name) const { return texts.count(name) != 0 || numbers.count(name) != 0; }
  // Absent reads as "" and 0: ask has() where the difference matters.
  std::string text(const std::string& name) const {
    const auto i = texts.find(name);
    return i == texts.end() ? std::string() : i->second;
  }
  std::uint64_t number(const std::string& name) const {
    const auto i = numbers.find(name);
    return i == numbers.end() ? 0 : i->second;
  }
  bool is(Quality q) const { return (exchange.quality & bit_of(q)) != 0; }
  bool operator==(const Row& o) const {
    const Exchange &a = exchange, &b = o.exchange;
    return kind == o.kind && texts == o.texts && numbers == o.numbers && a.request_first == b.request_first &&
           a.request_last == b.request_last && a.response_first == b.response_first &&
           a.response_last == b.response_last && a.request_octets == b.request_octets &&
           a.response_octets == b.response_octets && a.quality == b.quality;
  }
};

inline Row row_of(const Record& r, const Exchange& e) {
  Row row{std::string(schema::kKinds[r.kind()].name), {}, {}, e};
  for (std::size_t p = 0; p < r.layout().count; ++p) {
    if (!r.has(p)) continue;
    const schema::Element& element = schema::kElements[r.layout().places[p].element];
    const std::string name(element.name());
    if (element.is_text())
      row.texts[name] = r.text(p);
    else if (schema::width(element.shape.type) <= 8)
      row.numbers[name] = r.number(p);
  }
  return row;
}

class RecordList final : public Scribe {
 public:
  explicit RecordList(std::size_t slots_each = 256) : pools_(each(slots_each)), notes_(64) {}

  const std::vector<Row>& rows() const { return rows_; }
  std::size_t size() const { return rows_.size(); }
  const Row& operator[](std::size_t i) const { return rows_.at(i); }
  const Row& only() const { return rows_.size() == 1 ? rows_.front() : none_; }
  std::vector<Row> take_rows() { return std::exchange(rows_, {}); }
  // Records that a session holds (or lost): 0 once it is gone.
  std::size_t in_use() const {
    std::size_t n = 0;
    for (std::size_t k = 0; k < schema::kKindCount; ++k) n += pools_.in_use(k);
    return n;
  }
  Notebook& notes() override { return notes_; }
  Shared& shared() override { return shared_; }
  FlowEnds ends() const override { return flow_ends; }
  FlowEnds flow_ends;  // what sessions are told

 private:
  static std::array<std::size_t, schema::kKindCount> each(std::size_t n) {
    std::array<std::size_t, schema::kKindCount> out;
    out.fill(n);
    return out;
  }
  Record* take(std::size_t kind) override { return pools_.take(kind); }
  void put(Record* r, const Exchange& e) override {
    rows_.push_back(row_of(*r, e));
    pools_.give(r);
  }

  RecordPools pools_;
  Notebook notes_;
  Shared shared_{{64, 64}};
  std::vector<Row> rows_;
  const Row none_{"(not exactly one record)", {}, {}, {}};
};

}  // namespace probe::test
