#include "dissectors/kit/rtsp_transport.h"

#include <algorithm>
#include <limits>

#include "dissectors/kit/sdp.h"
#include "dissectors/kit/text_message.h"

namespace probe::rtsp {

namespace {

using text_message::parameter;

std::uint16_t port_of(std::string_view s) {
  std::uint64_t n = 0;
  return text_message::parse_number(s, n) && n <= std::numeric_limits<std::uint16_t>::max()
             ? static_cast<std::uint16_t>(n)
             : std::uint16_t{0};
}

// "4588-4589", or one alone.
void parse_ports(std::string_view s, std::uint16_t& port, std::uint16_t& rtcp) {
  const std::size_t dash = s.find('-');
  port = port_of(s.substr(0, dash));
  rtcp = dash == s.npos ? std::uint16_t{0} : port_of(s.substr(dash + 1));
}

}  // namespace

Transport parse_transport(std::string_view field) {
  Transport t;
  field = field.substr(0, field.find(','));
  const std::size_t semicolon = std::min(field.find(';'), field.size());
  const std::string_view specification = text_message::trim(field.substr(0, semicolon));
  // RTP/AVP and RTP/AVP/UDP are the same; RTP/AVP/TCP is interleaved.
  if (!specification.starts_with("RTP/") || specification.ends_with("/TCP")) return t;
  const std::string_view parameters = field.substr(semicolon);
  t.over_udp = true;
  t.secure = specification.find("SAVP") != specification.npos;
  parse_ports(parameter(parameters, "client_port"), t.client_port, t.client_rtcp);
  parse_ports(parameter(parameters, "server_port"), t.server_port, t.server_rtcp);
  if (!sdp::parse_address(parameter(parameters, "destination"), t.destination)) t.destination = {};
  if (!sdp::parse_address(parameter(parameters, "source"), t.source)) t.source = {};
  return t;
}

}  // namespace probe::rtsp
