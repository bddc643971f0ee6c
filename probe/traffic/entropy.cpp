#include "probe/traffic/entropy.h"

#include <algorithm>
#include <cmath>

namespace probe::traffic {
namespace {

// n log2 n, made before the first packet comes.
const std::array<float, PayloadOctets::kMost + 1> kTerms = [] {
  std::array<float, PayloadOctets::kMost + 1> terms{};
  for (std::size_t n = 1; n < terms.size(); ++n) {
    const auto x = static_cast<double>(n);
    terms[n] = static_cast<float>(x * std::log2(x));
  }
  return terms;
}();

}  // namespace

void PayloadOctets::add(unsigned sender, Bytes payload) {
  const std::size_t n = std::min<std::size_t>(payload.size(), kMost - seen_[sender]);
  for (const std::uint8_t octet : payload.first(n)) ++counts_[sender][octet];
  seen_[sender] = static_cast<std::uint16_t>(seen_[sender] + n);
}

// With c of n octets equal: - sum of c/n log2(c/n) = (n log2 n - sum of c log2 c) / n
std::uint8_t PayloadOctets::entropy(unsigned sender) const {
  double sum = 0;
  for (const std::uint16_t c : counts_[sender]) sum += static_cast<double>(kTerms[c]);
  const double n = seen_[sender], bits = (static_cast<double>(kTerms[seen_[sender]]) - sum) / n;
  return static_cast<std::uint8_t>(std::clamp(bits * 32, 0.0, 255.0));
}

}  // namespace probe::traffic
