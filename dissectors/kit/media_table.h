// Where signalling (SDP in SIP or RTSP) announced media, for the dissector that sees the media: usually in another
// flow, often on another worker.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "probe/base/nanos.h"
#include "probe/base/pages.h"

namespace probe {

// Address as in probe/packet: two words in host order; IPv4 stands in the low 32 bits of `low`.
struct MediaAddress {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::uint16_t port = 0;
  bool operator==(const MediaAddress&) const = default;
};

// A short text of fixed size; what does not fit is cut.
template <std::size_t kMost>
struct MediaText {
  std::array<char, kMost> octets{};  // rest: 0
  void set(std::string_view text) {
    octets = {};
    for (std::size_t i = 0; i < text.size() && i < kMost; ++i) octets[i] = text[i];
  }
  std::string_view view() const {
    std::size_t n = 0;
    while (n < kMost && octets[n] != 0) ++n;
    return {octets.data(), n};
  }
};

// What a payload type stands for (a=rtpmap, RFC 8866 §6.6).
struct MediaFormat {
  std::uint32_t clock_rate = 0;  // 0: not told
  std::uint8_t payload_type = 0;
  std::uint8_t channels = 0;  // 0: not told
  MediaText<18> encoding;     // as announced; empty: not told
};

enum class MediaKind : std::uint8_t { unknown, audio, video, text, other };

// One m= line: who wants media sent to `at`, and how.
struct Media {
  static constexpr std::size_t kMostFormats = 15;

  MediaAddress at;              // where media is received; RTCP is found from it
  std::uint16_t rtcp_port = 0;  // a=rtcp (RFC 3605); 0: not told, which means port + 1 or the same (RFC 5761)
  MediaKind kind = MediaKind::unknown;
  bool secure = false;                // SAVP, SAVPF: SRTP, whose payload is encrypted (RFC 3711)
  std::uint64_t signalling_flow = 0;  // flowId of the flow that announced it
  Nanos announced = 0;                // packet time
  std::uint8_t format_count = 0;
  MediaText<63> call;  // SIP Call-ID, RTSP session; empty: none
  std::array<MediaFormat, kMostFormats> formats;

  const MediaFormat* format(std::uint8_t payload_type) const {
    for (std::size_t i = 0; i < format_count && i < kMostFormats; ++i)
      if (formats[i].payload_type == payload_type) return &formats[i];
    return nullptr;
  }
  bool add(const MediaFormat& f) {
    if (format_count >= kMostFormats) return false;
    formats[format_count++] = f;
    return true;
  }
};

// Of fixed size and shared by all workers: anyone announces, anyone looks up, nobody waits. Each entry has a version
// that is odd while it is being written; a reader that sees it change reads again, a writer that finds it odd leaves.
// The time is packet time: who is behind the one that announces does not see what is still to come for him.
class MediaTable {
 public:
  static constexpr Nanos kLifetime = 3600 * kSecond;  // of an announcement that nobody asks for

  explicit MediaTable(std::size_t endpoints);

  // A later announcement for the same endpoint replaces the earlier one; in a full bucket the oldest goes. False if
  // another thread is writing just there, or if there is nothing to announce (port 0: the stream is refused).
  bool announce(const Media&);
  // What was announced for this endpoint at `now` at the latest, and not too long ago.
  bool find(const MediaAddress& at, Nanos now, Media& out);

  std::size_t octets() const { return memory_.octets(); }

 private:
  static constexpr std::size_t kWays = 4;
  struct Entry;

  Entry& entry(std::size_t i) const;
  std::atomic_ref<std::uint16_t> tag(std::size_t i) const;
  std::size_t bucket_of(std::uint64_t hash) const { return static_cast<std::size_t>(hash & mask_) * kWays; }
  std::size_t place_for(const Media&, std::uint64_t hash) const;

  const std::uint64_t mask_;  // of buckets
  const std::size_t entries_;
  Pages memory_;  // entries, then their tags: nothing is touched until it is used
  alignas(64) std::atomic<bool> used_{false};
};

}  // namespace probe
