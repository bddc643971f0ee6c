// The Transport field of RTSP (RFC 2326 §12.39): where SETUP made media go.
#pragma once

#include <cstdint>
#include <string_view>

#include "dissectors/kit/media_table.h"

namespace probe::rtsp {

struct Transport {
  bool over_udp = false;  // RTP over UDP; all else is false and empty
  bool secure = false;
  // Ports of RTP and RTCP; 0: not told.
  std::uint16_t client_port = 0, client_rtcp = 0;
  std::uint16_t server_port = 0, server_rtcp = 0;
  // Where not told, those of the connection.
  FlowEnd destination, source;
};

// Of several the first, which in a response is the only one.
Transport parse_transport(std::string_view field);

}  // namespace probe::rtsp
