// Records made by hand, for those who print and store them.
#pragma once

#include <array>
#include <memory>

#include "exporter/record/record.h"

namespace probe::kit {

struct GiveBack {
  void operator()(Record* r) const { r->home().give(r); }
};
using MadeRecord = std::unique_ptr<Record, GiveBack>;

class RecordMaker {
 public:
  RecordMaker() : pools_(slots()) {}
  template <schema::Name Kind>
  MadeRecord make() {
    MadeRecord r(pools_.take(schema::find_kind(Kind.view())));
    set_in<"flowId">(*r, std::uint64_t{7});
    set_in<"protocolIdentifier">(*r, std::uint8_t{6});
    return r;
  }

 private:
  static std::array<std::size_t, schema::kKindCount> slots() {
    std::array<std::size_t, schema::kKindCount> out;
    out.fill(8);
    return out;
  }
  RecordPools pools_;
};

// What every transaction has, and a time from request to response.
inline void answer_after(Record& r, std::uint64_t us) {
  set_in<"transactionId">(r, std::uint64_t{1});
  set_in<"transactionStartMicroseconds">(r, 1'700'000'000 * kSecond);
  set_in<"requestOctetCount">(r, std::uint64_t{10});
  set_in<"transactionQuality">(r, std::uint32_t{0});
  set_in<"responseTimeMicroseconds">(r, us);
}

// What every flow record has.
inline void count_flow(Record& r, std::uint64_t packets, std::uint64_t octets) {
  set_in<"flowStartMilliseconds">(r, 1'700'000'000 * kSecond);
  set_in<"flowEndMilliseconds">(r, 1'700'000'001 * kSecond);
  set_in<"flowStartMicroseconds">(r, 1'700'000'000 * kSecond);
  set_in<"flowEndMicroseconds">(r, 1'700'000'001 * kSecond);
  set_in<"octetDeltaCount">(r, octets);
  set_in<"packetDeltaCount">(r, packets);
  set_in<"reverseOctetDeltaCount">(r, std::uint64_t{0});
  set_in<"reversePacketDeltaCount">(r, std::uint64_t{0});
  set_in<"flowEndReason">(r, std::uint8_t{3});
  set_in<"biflowDirection">(r, std::uint8_t{1});
  set_in<"measurementQuality">(r, std::uint32_t{0});
}

}  // namespace probe::kit
