#include "dissectors/kit/e_model.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace probe::e_model {
namespace {

// G.711 with packet loss concealment, as receivers have it today (G.711 appendix I); G.729A and G.723.1 (6.3 kbit/s)
// with VAD; GSM enhanced full rate.
constexpr Codec kCodecs[] = {
    {"PCMU", 0, 25.1, 0}, {"PCMA", 0, 25.1, 0}, {"G729", 11, 19, 5}, {"G723", 15, 16.1, 7.5}, {"GSM-EFR", 5, 10, 0},
};

// G.107 §7.4: the delay impairment of a connection without echo.
double delay_impairment(double ms) {
  if (ms <= 100) return 0;
  const double x = std::log2(ms / 100);
  return 25 * (std::pow(1 + std::pow(x, 6), 1.0 / 6) - 3 * std::pow(1 + std::pow(x / 3, 6), 1.0 / 6) + 2);
}

bool same_letter(char a, char b) { return (a | 0x20) == (b | 0x20); }

}  // namespace

const Codec* find_codec(std::string_view encoding) {
  const auto at = std::ranges::find_if(
      kCodecs, [encoding](const Codec& c) { return std::ranges::equal(c.encoding, encoding, same_letter); });
  return at == std::end(kCodecs) ? nullptr : at;
}

double r_factor(const Codec& codec, const Conditions& c) {
  constexpr double kBest = 93.2;  // Ro - Is with the default values of G.107, table 2
  const double loss = std::clamp(c.loss_percent, 0.0, 100.0);
  const double effective =
      codec.impairment + (95 - codec.impairment) * loss / (loss / c.burst_ratio + codec.robustness);
  return std::clamp(kBest - delay_impairment(c.delay_ms.value_or(0)) - effective, 0.0, 100.0);
}

// G.107 annex B.
double mos_of(double r) {
  if (r <= 0) return 1;
  if (r >= 100) return 4.5;
  return std::max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

double burst_ratio(double lost, double bursts, double expected) {
  if (bursts <= 0 || lost <= 0 || expected <= lost) return 1;
  return std::max(1.0, lost / bursts * (1 - lost / expected));
}

}  // namespace probe::e_model
