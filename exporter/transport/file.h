// Messages one after another in a file (RFC 5655).
#pragma once

#include <string>
#include <vector>

#include "exporter/transport/address.h"
#include "exporter/transport/transport.h"

namespace probe {

class FileTransport : public Transport {
 public:
  explicit FileTransport(const Url&);
  void send(Bytes message, const Tally&) override;
  void flush() override { write_out(); }
  void finish() override { write_out(); }
  std::size_t message_octets() const override { return 16 * 1024; }

 private:
  static constexpr std::size_t kBufferOctets = 256 * 1024;
  void write_out();

  std::string path_;
  Descriptor file_;  // none after a write failed
  std::vector<std::uint8_t> buffer_;
  Tally waiting_;
  std::uint64_t waiting_messages_ = 0;
};

}  // namespace probe
