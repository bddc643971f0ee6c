#include "probe/live/link_info.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string_view>

namespace probe::live {
namespace {

using Octets = std::span<const std::uint8_t>;

template <typename T>
T value(Octets from) {  // shorter ones, as older kernels give, are filled up with 0
  T out{};
  std::memcpy(&out, from.data(), std::min(sizeof out, from.size()));
  return out;
}

template <typename Visit>
void for_each_attribute(Octets list, Visit&& visit) {
  while (list.size() >= sizeof(rtattr)) {
    const auto head = value<rtattr>(list);
    if (head.rta_len < sizeof(rtattr) || head.rta_len > list.size()) return;
    visit(head.rta_type & NLA_TYPE_MASK, list.first(head.rta_len).subspan(RTA_LENGTH(0)));
    list = list.subspan(std::min<std::size_t>(RTA_ALIGN(head.rta_len), list.size()));
  }
}

std::string text(Octets from) {
  const std::string_view all(reinterpret_cast<const char*>(from.data()), from.size());
  return std::string(all.substr(0, all.find('\0')));
}

struct Request {
  nlmsghdr head{};
  ifinfomsg link{};
  rtattr name_head{};
  std::array<char, IFNAMSIZ> name{};
};

LinkInfo parse(Octets message) {
  LinkInfo info;
  const auto link = value<ifinfomsg>(message);
  info.index = link.ifi_index;
  info.hardware = link.ifi_type;
  info.on = (link.ifi_flags & IFF_UP) != 0;
  info.up = info.on && (link.ifi_flags & IFF_RUNNING) != 0;
  int peer = 0;
  bool elsewhere = false;
  for_each_attribute(message.subspan(NLMSG_ALIGN(sizeof(ifinfomsg))), [&](int type, Octets v) {
    if (type == IFLA_MTU) info.mtu = value<std::uint32_t>(v);
    if (type == IFLA_LINK) peer = value<int>(v);
    if (type == IFLA_LINK_NETNSID) elsewhere = true;
    if (type == IFLA_STATS64) {
      const auto stats = value<rtnl_link_stats64>(v);
      info.missed = stats.rx_missed_errors;
      info.errors = stats.rx_errors;
      info.dropped = stats.rx_dropped;
    }
    if (type == IFLA_LINKINFO)
      for_each_attribute(v, [&](int inner, Octets w) {
        if (inner == IFLA_INFO_KIND) info.kind = text(w);
      });
  });
  std::array<char, IF_NAMESIZE> name{};
  if (info.kind == "veth" && peer > 0 && !elsewhere && if_indextoname(static_cast<unsigned>(peer), name.data()))
    info.peer = name.data();
  return info;
}

}  // namespace

LinkReader::LinkReader()
    : socket_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)), buffer_(std::size_t{256} << 10) {
  if (socket_ < 0) throw std::runtime_error(std::string("The kernel gives no netlink socket: ") + std::strerror(errno));
}

LinkReader::~LinkReader() { close(socket_); }

std::optional<LinkInfo> LinkReader::read(const std::string& name) {
  Request request;
  if (name.empty() || name.size() >= request.name.size()) return std::nullopt;
  request.head.nlmsg_len = sizeof request;
  request.head.nlmsg_type = RTM_GETLINK;
  request.head.nlmsg_flags = NLM_F_REQUEST;
  request.head.nlmsg_seq = ++sequence_;
  request.name_head.rta_len = RTA_LENGTH(request.name.size());
  request.name_head.rta_type = IFLA_IFNAME;
  std::copy(name.begin(), name.end(), request.name.begin());
  if (send(socket_, &request, sizeof request, 0) != sizeof request) return std::nullopt;
  for (;;) {
    const ssize_t got = recv(socket_, buffer_.data(), buffer_.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < static_cast<ssize_t>(sizeof(nlmsghdr))) return std::nullopt;
    const Octets answer(buffer_.data(), static_cast<std::size_t>(got));
    const auto head = value<nlmsghdr>(answer);
    if (head.nlmsg_seq != sequence_) continue;  // of a request that was given up
    if (head.nlmsg_type != RTM_NEWLINK || head.nlmsg_len > answer.size()) return std::nullopt;
    if (head.nlmsg_len < NLMSG_LENGTH(sizeof(ifinfomsg))) return std::nullopt;
    return parse(answer.first(head.nlmsg_len).subspan(NLMSG_HDRLEN));
  }
}

std::string interface_list() {
  std::string out;
  struct if_nameindex* all = if_nameindex();
  for (const struct if_nameindex* i = all; i != nullptr && i->if_index != 0; ++i) {
    if (!out.empty()) out += ", ";
    out += i->if_name;
  }
  if (all != nullptr) if_freenameindex(all);
  return out.empty() ? "none" : out;
}

}  // namespace probe::live
