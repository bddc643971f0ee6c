#include "tests/kit/capture_traffic.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <stdexcept>

#include "probe/io/capture.h"
#include "probe/packet/decoder.h"

namespace probe::test {

namespace {

class Sorter {
 public:
  void add(const Packet& p) {
    if (!p.is_tcp() && p.key.protocol != ip_protocol::kUdp) return;
    const unsigned sender = p.from_high;
    const bool opens = p.is_tcp() && p.tcp.has(tcp_flag::kSyn) && !p.tcp.has(tcp_flag::kAck);
    auto at = std::find_if(flows_.rbegin(), flows_.rend(), [&](const Traffic& t) { return t.key == p.key; });
    const bool same = at != flows_.rend() && !(opens && another(*at, p));
    if (!same) flows_.push_back({p.key, {}});
    Traffic& flow = same ? *at : flows_.back();
    flow.packets.push_back({sender, std::string(as_text(p.payload)), p.time, p.tcp.sequence, p.tcp.acknowledgement,
                            p.tcp.flags, p.payload_length - static_cast<std::uint32_t>(p.payload.size())});
  }
  std::vector<Traffic> take() { return std::move(flows_); }

 private:
  // A SYN that does not repeat the flow's own.
  static bool another(const Traffic& t, const Packet& p) { return t.packets.front().sequence != p.tcp.sequence; }
  std::vector<Traffic> flows_;
};

}  // namespace

std::vector<Traffic> traffic_of(const std::string& path) {
  Counters counters;
  const auto capture = io::Capture::open(path, counters);
  Decoder decoder(DecodeOptions{}, counters);
  Sorter sorter;
  std::array<Frame, 64> frames;
  while (const std::size_t n = capture->read(frames)) {
    decoder.new_burst();
    for (std::size_t i = 0; i < n; ++i)
      if (Packet p; decoder.decode(frames[i], p)) sorter.add(p);
  }
  if (!capture->error().message.empty()) throw std::runtime_error(capture->error().message);
  return sorter.take();
}

std::vector<CapturedTraffic> captures_in(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& file : std::filesystem::directory_iterator(folder))
    if (file.path().extension() == ".pcap") paths.push_back(file.path());
  std::sort(paths.begin(), paths.end());
  std::vector<CapturedTraffic> out;
  for (const auto& path : paths) out.push_back({path.stem().string(), traffic_of(path.string())});
  return out;
}

}  // namespace probe::test
