#include "probe/io/link_types.h"

namespace probe::io {

LinkType link_type_of(std::uint32_t number) {
  switch (number) {
    case 1:
      return LinkType::ethernet;
    case 12:   // DLT_RAW of most systems, found in files of careless writers
    case 14:   // DLT_RAW of OpenBSD
    case 101:  // LINKTYPE_RAW
    case 228:  // LINKTYPE_IPV4
    case 229:  // LINKTYPE_IPV6
      return LinkType::raw_ip;
    case 113:
      return LinkType::linux_cooked_v1;
    case 276:
      return LinkType::linux_cooked_v2;
    case 0:
      return LinkType::bsd_null;
    case 108:
      return LinkType::bsd_loop;
    case 9:   // LINKTYPE_PPP
    case 50:  // LINKTYPE_PPP_HDLC
      return LinkType::ppp;
    default:
      return LinkType::unknown;
  }
}

}  // namespace probe::io
