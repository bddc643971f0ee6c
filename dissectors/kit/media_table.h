// Where signalling (SDP in SIP or RTSP) announced media, for the dissector that sees the media: usually in another
// flow, often on another worker.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dissectors/kit/flow_end.h"
#include "dissectors/kit/shared_table.h"
#include "probe/base/nanos.h"

namespace probe {

// A short text of fixed size; what does not fit is cut.
template <std::size_t kMost>
struct MediaText {
  std::array<char, kMost> octets{};  // rest: 0
  bool operator==(const MediaText&) const = default;
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
  bool operator==(const MediaFormat&) const = default;
};

enum class MediaKind : std::uint8_t { unknown, audio, video, text, other };

// One m= line: who wants media sent to `at`, and how.
struct Media {
  static constexpr std::size_t kMostFormats = 15;

  FlowEnd at;                   // where media is received; RTCP is found from it
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
  // Said again, in a message that was repeated or in the next step of the same negotiation.
  bool repeats(const Media& earlier) const {
    Media same = earlier;
    same.announced = announced;
    return same == *this;
  }
  bool operator==(const Media&) const = default;
  bool add(const MediaFormat& f) {
    if (format_count >= kMostFormats) return false;
    formats[format_count++] = f;
    return true;
  }
};

// By the endpoint where media is received.
class MediaTable : public SharedTable<Media> {
 public:
  using SharedTable::SharedTable;
  // False if there is nothing to announce, too: port 0, the stream is refused.
  bool announce(const Media& m) { return m.at.port != 0 && SharedTable::announce(m); }
};

}  // namespace probe
