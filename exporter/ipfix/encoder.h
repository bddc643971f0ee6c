// Records in, IPFIX messages out: templates when they are first needed, sequence numbers, sizes. No sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "exporter/record/view.h"
#include "probe/base/bytes.h"

namespace probe::ipfix {

// What a complete message holds, for whoever keeps the books of a transport.
struct MessageInfo {
  std::uint32_t records = 0;       // records given whose views are all in it
  std::uint32_t data_records = 0;  // data records
};

class MessageReceiver {
 public:
  virtual ~MessageReceiver() = default;
  virtual void message(Bytes octets, const MessageInfo&) = 0;  // octets are valid during the call
};

struct EncoderOptions {
  std::uint32_t enterprise = schema::kDocumentationPen;
  std::uint32_t domain = 1;
  std::size_t message_octets = 1420;  // a record that alone needs more gets a longer message of its own
};

// Totals since the probe was started.
struct ProcessStatistics {
  struct Trouble {
    std::uint64_t n = 0;
    std::uint64_t first = 0, last = 0;  // when it was noticed, milliseconds since 1970
  };
  std::uint32_t process = 0;                            // id of the process
  std::uint64_t flows = 0, packets = 0;                 // begun; counted in flows
  std::uint64_t messages = 0, records = 0, octets = 0;  // sent to this collector
  Trouble ignored;                                      // packets
  Trouble not_sent;                                     // records
};

// One transport session's worth of state (RFC 7011 §2): its own sequence numbers and templates. Not for two threads.
class Encoder {
 public:
  Encoder(const EncoderOptions& options, const Shapes& shapes, MessageReceiver& receiver);
  ~Encoder();

  // One record as its views; they travel in the same message. A template that is new goes ahead in its own message.
  void append(std::span<const RecordView> views);
  void flush();      // what is begun becomes a message
  void templates();  // all templates so far, again: after a reconnect and, over UDP, from time to time (RFC 7011 §8)
  // RFC 5610 records about our own elements, in observation domain 0 with its own sequence: some collectors mistake
  // options records for lost flows.
  void types();

  // RFC 7011 §4, also in domain 0.
  void statistics(const ProcessStatistics&, bool templates);

  // Seconds since 1970 for the headers of messages; 0: the system's clock. A replay sets packet time, so that its
  // output is the same every time.
  void set_time(std::uint32_t seconds) { time_ = seconds; }

  std::uint32_t next_sequence() const { return sequence_; }  // that the next message will carry
  std::size_t template_count() const;
  std::uint64_t groups_left_out() const { return left_out_; }

 private:
  struct Template;
  struct Library;  // libfixbuf's objects
  const Template& template_for(const RecordView&);
  const Template& known_or_new(const RecordView&);
  Template& add(std::size_t layout, const Shape&);
  void send(std::span<std::uint8_t> message, const MessageInfo&);
  std::uint32_t now() const;

  EncoderOptions options_;
  const Shapes& shapes_;
  MessageReceiver& receiver_;
  std::unique_ptr<Library> library_;
  std::size_t used_ = 0;  // octets of the message that is being filled; 0: none is
  std::uint16_t last_id_ = 0;
  MessageInfo info_;
  std::uint32_t time_ = 0;
  std::uint32_t sequence_ = 0, type_sequence_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace probe::ipfix
