#include "dissectors/kit/rtp_streams.h"

namespace probe::rtp {

Stream* Streams::find(std::uint32_t ssrc, Side from) {
  const auto side = static_cast<std::uint8_t>(index_of(from));
  const auto is = [&](std::size_t i) { return ssrcs_[i] == ssrc && sides_[i] == side; };
  std::uint8_t& recent = recent_[side];
  if (recent < size_ && is(recent)) return &(*this)[recent];
  for (std::uint8_t i = 0; i < size_; ++i) {
    if (!is(i)) continue;
    recent = i;
    return &(*this)[i];
  }
  return nullptr;
}

Stream* Streams::add(std::uint32_t ssrc, Side from, Notebook& notes) {
  if (size_ == kMost) return nullptr;
  if (size_ >= kHere && (size_ - kHere) % kPerPage == 0) {
    auto* page = static_cast<Stream*>(notes.take_page());
    if (!page) return nullptr;
    for (std::size_t i = 0; i < kPerPage; ++i) new (page + i) Stream;
    pages_[(size_ - kHere) / kPerPage] = page;
  }
  return replace((*this)[size_++], ssrc, from);
}

Stream* Streams::replace(Stream& s, std::uint32_t ssrc, Side from) {
  for (std::size_t i = 0; i < size_; ++i) {
    if (&(*this)[i] != &s) continue;
    ssrcs_[i] = ssrc;
    sides_[i] = static_cast<std::uint8_t>(index_of(from));
    break;
  }
  return new (&s) Stream(ssrc, from);
}

void Streams::release(Notebook& notes) {
  for (Stream*& page : pages_) {
    if (page) notes.give_page(page);
    page = nullptr;
  }
  size_ = 0;
}

}  // namespace probe::rtp
