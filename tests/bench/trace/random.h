// The trace's own random numbers (xorshift128+), so that a seed gives the same trace with every standard library.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace trace {

class Random {
 public:
  explicit Random(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {  // splitmix64
      seed += 0x9e3779b97f4a7c15ULL;
      std::uint64_t x = seed;
      x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
      x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
      word = x ^ (x >> 31);
    }
  }

  std::uint64_t next() {
    std::uint64_t a = state_[0];
    const std::uint64_t b = state_[1];
    a ^= a << 23;
    state_[0] = b;
    state_[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
    return state_[1] + b;
  }

  double unit() { return static_cast<double>(next() >> 11) * (1.0 / 9007199254740992.0); }  // [0, 1)
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(((next() >> 32) * n) >> 32); }
  bool chance(double p) { return unit() < p; }

  double normal() {  // Box and Muller
    const double a = std::max(unit(), 1e-12);
    const double b = unit();
    return std::sqrt(-2 * std::log(a)) * std::cos(6.283185307179586 * b);
  }
  double lognormal(double median, double sigma) { return median * std::exp(sigma * normal()); }

 private:
  std::uint64_t state_[2];
};

}  // namespace trace
