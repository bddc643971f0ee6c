// What a listener would think of a call: the E-model (ITU-T G.107) with the impairments of G.113.
#pragma once

#include <optional>
#include <string_view>

namespace probe::e_model {

// Equipment impairment of a codec: without loss, and how well it bears random loss (G.113 appendix I).
struct Codec {
  std::string_view encoding;  // name in RFC 3551
  double impairment;          // Ie
  double robustness;          // Bpl
  double look_ahead_ms;       // beyond the frames that are in a packet
};
// nullptr: there are no published values for it on this scale (narrow band).
const Codec* find_codec(std::string_view encoding);

struct Conditions {
  double loss_percent = 0;         // Ppl, of the receiver's decoder
  double burst_ratio = 1;          // BurstR: 1 if losses are random
  std::optional<double> delay_ms;  // mouth to ear (Ta); unknown: taken to be under 100 ms
};
double r_factor(const Codec&, const Conditions&);
double mos_of(double r_factor);

// How long a run of losses is, compared with what it would be if they were random (G.107 §7.2).
double burst_ratio(double lost, double bursts, double expected);

}  // namespace probe::e_model
