#include "probe/live/offloads.h"

#include <linux/ethtool.h>
#include <net/if_arp.h>

#include <cstddef>
#include <cstring>
#include <string_view>

#include "probe/live/ethtool.h"

namespace probe::live {
namespace {

// The kernel's structures end in an array of no length: a block of words that starts with one.
template <typename Head>
Head& head_of(std::vector<std::uint32_t>& words) {
  return *reinterpret_cast<Head*>(words.data());
}

template <typename Head>
std::vector<std::uint32_t> block(std::size_t octets_behind) {
  return std::vector<std::uint32_t>((sizeof(Head) + octets_behind + 3) / 4);
}

// Names of all features that this kernel knows, in the order of their bits.
std::vector<std::string> feature_names(Ethtool& ethtool) {
  auto count = block<ethtool_sset_info>(sizeof(std::uint32_t));
  head_of<ethtool_sset_info>(count).cmd = ETHTOOL_GSSET_INFO;
  head_of<ethtool_sset_info>(count).sset_mask = std::uint64_t{1} << ETH_SS_FEATURES;
  if (!ethtool.ask(count.data()) || head_of<ethtool_sset_info>(count).sset_mask == 0) return {};
  const std::size_t n = count[sizeof(ethtool_sset_info) / 4];
  auto names = block<ethtool_gstrings>(n * ETH_GSTRING_LEN);
  head_of<ethtool_gstrings>(names).cmd = ETHTOOL_GSTRINGS;
  head_of<ethtool_gstrings>(names).string_set = ETH_SS_FEATURES;
  head_of<ethtool_gstrings>(names).len = static_cast<std::uint32_t>(n);
  if (!ethtool.ask(names.data())) return {};
  std::vector<std::string> out;
  const char* text = reinterpret_cast<const char*>(names.data()) + sizeof(ethtool_gstrings);
  for (std::size_t i = 0; i < n; ++i, text += ETH_GSTRING_LEN) out.emplace_back(text, strnlen(text, ETH_GSTRING_LEN));
  return out;
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& w : words) out += (out.empty() ? "" : " ") + w;
  return out;
}

std::string how_to(const std::string& interface, const std::vector<std::string>& off) {
  std::string out = "ethtool -K " + interface;
  for (const std::string& feature : off) out += " " + feature + " off";
  return out;
}

}  // namespace

Offloads read_offloads(const std::string& interface) {
  Ethtool ethtool(interface);
  const std::vector<std::string> names = feature_names(ethtool);
  const std::size_t blocks = (names.size() + 31) / 32;
  auto features = block<ethtool_gfeatures>(blocks * sizeof(ethtool_get_features_block));
  head_of<ethtool_gfeatures>(features).cmd = ETHTOOL_GFEATURES;
  head_of<ethtool_gfeatures>(features).size = static_cast<std::uint32_t>(blocks);
  Offloads out;
  if (names.empty() || !ethtool.ask(features.data())) return out;
  const auto* states =
      reinterpret_cast<const ethtool_get_features_block*>(features.data() + sizeof(ethtool_gfeatures) / 4);
  const auto state = [&](std::string_view name) -> std::optional<bool> {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == name) return (states[i / 32].active >> i % 32 & 1) != 0;
    }
    return std::nullopt;
  };
  out.gro = state("rx-gro");
  out.gro_list = state("rx-gro-list");
  out.gro_hardware = state("rx-gro-hw");
  out.lro = state("rx-lro");
  out.tso = state("tx-tcp-segmentation");
  out.gso = state("tx-generic-segmentation");
  return out;
}

std::string read_driver(const std::string& interface) {
  Ethtool ethtool(interface);
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  return ethtool.ask(&info) ? std::string(info.driver, strnlen(info.driver, sizeof info.driver)) : std::string();
}

std::vector<std::string> offload_warnings(const std::string& interface, const LinkInfo& link, const Offloads& own,
                                          const Offloads& peer, bool outgoing) {
  std::vector<std::string> warnings;
  std::vector<std::string> receive, send;
  if (own.gro == true) receive.push_back("gro");
  if (own.gro_list == true) receive.push_back("rx-gro-list");
  if (own.gro_hardware == true) receive.push_back("rx-gro-hw");
  if (own.lro == true) receive.push_back("lro");
  const bool loopback = link.hardware == ARPHRD_LOOPBACK;
  if (!receive.empty() && !loopback)
    warnings.push_back(
        interface + " puts received segments together (" + join(receive) +
        "): packets, losses and round trips are counted wrong. Turn it off: " + how_to(interface, receive));
  // What never crossed a wire was never cut into segments.
  const auto sending = [](const Offloads& o) {
    std::vector<std::string> on;
    if (o.gso == true) on.push_back("gso");
    if (o.tso == true) on.push_back("tso");
    return on;
  };
  if (outgoing || loopback) send = sending(own);
  if (!send.empty())
    warnings.push_back(interface + " is captured before its segments are cut (" + join(send) +
                       "): packets are counted wrong. Turn it off: " + how_to(interface, send));
  const std::vector<std::string> other = sending(peer);
  if (!other.empty())
    warnings.push_back(link.peer + ", the other end of " + interface + ", hands over segments uncut (" + join(other) +
                       "): packets are counted wrong. Turn it off: " + how_to(link.peer, other));
  return warnings;
}

}  // namespace probe::live
