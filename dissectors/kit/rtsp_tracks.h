// The streams of an RTSP session: DESCRIBE tells what they are, SETUP where they go.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dissectors/kit/rtsp_transport.h"
#include "dissectors/kit/sdp.h"
#include "dissectors/notebook.h"

namespace probe::rtsp {

class Tracks {
 public:
  static constexpr std::size_t kMost = 2;  // sound and picture
  static constexpr std::uint8_t kNone = 0xff;

  // What a description says; a later one replaces it.
  void describe(std::string_view body, Notebook&);
  // The stream that a SETUP of this URL is about: the URL ends with the stream's control (RFC 2326 §C.1.1), or there
  // is only one stream.
  std::uint8_t find(std::string_view url) const;
  // Of this stream; one of which nothing is known if there is none.
  Media media(std::uint8_t track) const;
  void release(Notebook&);

 private:
  struct Track {
    Media media;
    std::uint64_t control = 0;  // its hash
    std::uint16_t control_octets = 0;
  };
  struct Page {
    std::array<Track, kMost> tracks;
  };
  static_assert(sizeof(Page) <= sizeof(Notebook::Page));

  Page* page_ = nullptr;
  std::uint8_t count_ = 0;  // also of those beyond kMost
};

}  // namespace probe::rtsp
