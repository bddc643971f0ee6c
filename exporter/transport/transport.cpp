#include "exporter/transport/transport.h"

#include "exporter/transport/file.h"
#include "exporter/transport/tcp.h"
#include "exporter/transport/udp.h"

namespace probe {
namespace {

// Takes everything: for measuring, and for whoever wants only the summary.
class NullTransport : public Transport {
 public:
  void send(Bytes message, const Tally& tally) override {
    ++books_.messages;
    books_.octets += message.size();
    books_.sent += tally;
  }
  void finish() override {}
  std::size_t message_octets() const override { return 16 * 1024; }
};

}  // namespace

std::unique_ptr<Transport> open_transport(const Url& url, TransportOptions options) {
  switch (url.scheme) {
    case Url::Scheme::udp:
      return std::make_unique<UdpTransport>(url, std::move(options));
    case Url::Scheme::tcp:
      return std::make_unique<TcpTransport>(url, std::move(options));
    case Url::Scheme::file:
      return std::make_unique<FileTransport>(url);
    case Url::Scheme::null:
      break;
  }
  return std::make_unique<NullTransport>();
}

}  // namespace probe
