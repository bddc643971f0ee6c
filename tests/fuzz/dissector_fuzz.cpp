// Any conversation for one dissector, FUZZED_DISSECTOR: no crash, no octet read beyond what it was given, no step that
// gets nowhere, and everything given back. tests/fuzz/script.h says what the input means.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "tests/fuzz/script.h"

namespace probe {

extern const Dissector FUZZED_DISSECTOR;

namespace test {
namespace {

// A copy of the exact size, so that a sanitizer sees the first octet read beyond it.
class Exact {
 public:
  explicit Exact(Bytes b) : copy_(new std::uint8_t[b.size()]), size_(b.size()) {
    if (!b.empty()) std::memcpy(copy_.get(), b.data(), b.size());
  }
  Bytes bytes() const { return {copy_.get(), size_}; }

 private:
  std::unique_ptr<std::uint8_t[]> copy_;
  std::size_t size_;
};

// Hands everything on to the dissector, and watches its answers.
class Watched final : public Session {
 public:
  Watched() : inner_(FUZZED_DISSECTOR.open(slot_.get())) {}
  ~Watched() override { inner_->~Session(); }

  Step on_data(Side from, Bytes data, Arrival at, Scribe& scribe) override {
    const Exact exact(data);
    const Step step = inner_->on_data(from, exact.bytes(), at, scribe);
    if (step.what == Step::What::used && step.octets > data.size()) abort();
    if (step.what == Step::What::used && step.octets == 0 && !data.empty()) abort();
    return step;
  }
  void on_gap(Side from, std::uint64_t octets, Scribe& s) override { inner_->on_gap(from, octets, s); }
  void on_side_end(Side from, Arrival at, Scribe& s) override { inner_->on_side_end(from, at, s); }
  void on_end(Scribe& s) override { inner_->on_end(s); }

  static Guess guess(Bytes first, Side from) {
    const Exact exact(first);
    return FUZZED_DISSECTOR.guess(exact.bytes(), from);
  }

 private:
  struct alignas(64) Slot {
    std::byte octets[kSessionOctets];
  };
  std::unique_ptr<Slot> slot_ = std::make_unique<Slot>();
  Session* inner_;
};

}  // namespace
}  // namespace test
}  // namespace probe

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace probe;
  static const Dissector watched =
      describe<test::Watched>(FUZZED_DISSECTOR.name, FUZZED_DISSECTOR.over, FUZZED_DISSECTOR.ports);
  static const Dissector* const only[] = {&watched};
  static test::Player player(only);
  player.play(test::traffic_of_script({data, size}, watched));
  player.rows();
  if (player.in_use() != 0) abort();
  return 0;
}
