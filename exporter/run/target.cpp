#include "exporter/run/target.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>
#include <vector>

#include "exporter/ipfix/encoder.h"
#include "exporter/ipfix/types.h"
#include "exporter/profile/profile.h"
#include "exporter/transport/transport.h"

namespace probe {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kLargestSafeEnterprise = 65535;  // nfcapd keeps 16 bits of it
// Over UDP templates can be lost, so they also go again after so many messages (RFC 7011 §8.4).
constexpr std::uint64_t kRefreshMessages = 2000;

// When a record happened, in seconds: the export time of a replay.
std::uint32_t seconds_of(const Record& r) {
  if (const std::uint64_t end = number_in<"flowEndMilliseconds">(r)) return static_cast<std::uint32_t>(end / 1000);
  const std::uint64_t start = number_in<"transactionStartMicroseconds">(r);
  return start == 0 ? 0 : static_cast<std::uint32_t>(nanos_of_ntp(start) / kSecond);
}

std::uint64_t milliseconds(Nanos n) { return static_cast<std::uint64_t>(n / kMillisecond); }
Nanos wall_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class IpfixTarget : public Target, public ipfix::MessageReceiver {
 public:
  IpfixTarget(const Url& url, const TargetOptions& options, std::unique_ptr<Profile> profile, bool types,
              bool statistics, Counters& counters)
      : url_(url.text),
        options_(options),
        profile_(std::move(profile)),
        types_(types),
        statistics_(statistics),
        counters_(counters) {
    TransportOptions how;
    how.live = options.live;
    how.greeting = [this] { return greeting(); };
    transport_ = open_transport(url, std::move(how));
    ipfix::EncoderOptions e;
    e.enterprise = options.enterprise;
    e.domain = options.domain;
    e.message_octets = transport_->message_octets();
    encoder_ = std::make_unique<ipfix::Encoder>(e, *profile_, *this);
  }

  void put(const Record& r) override {
    ++given_;
    const std::span<const RecordView> views = profile_->views(r);
    if (views.empty()) {
      ++unsuitable_;
      return;
    }
    if (!options_.live) {
      time_ = std::max({time_, seconds_of(r), 1u});
      encoder_->set_time(time_);
    }
    if (types_ && !types_sent_) send_types();
    encoder_->append(views);
    if (messages_ != messages_seen_) refresh_when_due();
  }

  void turn() override {
    transport_->turn();
    refresh_when_due();
    keep_counts();
  }
  void flush() override {
    encoder_->flush();
    transport_->flush();
    keep_counts();
  }
  void finish() override {
    encoder_->flush();
    transport_->finish();
    keep_counts();
  }

  void tell(const ProbeStatistics&) override;
  TargetReport report() const override;
  void wait_until(Clock::time_point end) override { transport_->wait_until(end); }

 private:
  void message(Bytes octets, const ipfix::MessageInfo& info) override {  // from the encoder
    if (greeting_) {
      greeting_->emplace_back(octets.begin(), octets.end());
      return;
    }
    transport_->send(octets, {info.records, info.data_records});
    ++messages_;
  }

  void send_types() {
    types_sent_ = true;
    encoder_->types();
  }

  // Everything that a collector must know before data, for a new connection.
  std::vector<std::vector<std::uint8_t>> greeting() {
    std::vector<std::vector<std::uint8_t>> out;
    if (!encoder_) return out;
    encoder_->flush();
    greeting_ = &out;
    statistics_templates_sent_ = false;  // a new session: they go with the next statistics
    encoder_->templates();
    if (types_) send_types();
    greeting_ = nullptr;
    return out;
  }

  void refresh_when_due() {
    messages_seen_ = messages_;
    const std::uint32_t seconds = transport_->refresh_seconds();
    if (seconds == 0 || messages_ == messages_at_refresh_) return;
    const bool due = Clock::now() - refreshed_ >= std::chrono::seconds(seconds);
    if (!due && messages_ - messages_at_refresh_ < kRefreshMessages) return;
    encoder_->templates();
    if (types_ && due) encoder_->types();
    refreshed_ = Clock::now();
    messages_at_refresh_ = messages_seen_ = messages_;
  }

  void keep_counts();

  std::string url_;
  TargetOptions options_;
  std::unique_ptr<Profile> profile_;
  bool types_, types_sent_ = false;
  const bool statistics_;
  Counters& counters_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<ipfix::Encoder> encoder_;
  std::vector<std::vector<std::uint8_t>>* greeting_ = nullptr;  // where messages go while a greeting is made
  bool statistics_templates_sent_ = false, told_ = false;
  std::uint64_t messages_when_told_ = 0;
  ipfix::ProcessStatistics::Trouble not_sent_;
  std::uint64_t given_ = 0, unsuitable_ = 0;
  std::uint32_t time_ = 0;
  Clock::time_point refreshed_ = Clock::now();
  std::uint64_t messages_ = 0, messages_seen_ = 0, messages_at_refresh_ = 0;
  TargetReport counted_;  // what the counters know already
};

void IpfixTarget::tell(const ProbeStatistics& p) {
  const Books& b = transport_->books();
  const bool udp = transport_->refresh_seconds() > 0;
  // A collector that is away must not find a pile of them; with UDP nothing waits for it.
  if (!statistics_ || (!udp && told_ && b.messages == messages_when_told_)) return;
  ipfix::ProcessStatistics s;
  s.process = static_cast<std::uint32_t>(getpid());
  s.flows = p.flows;
  s.packets = p.packets;
  s.messages = b.messages;
  s.records = b.sent.data_records;
  s.octets = b.octets;
  s.ignored = {p.ignored, milliseconds(p.first_ignored), milliseconds(p.last_ignored)};
  if (const std::uint64_t lost = p.records_lost + b.queue_full.records + b.failed.records; lost > not_sent_.n) {
    not_sent_.n = lost;
    not_sent_.last = milliseconds(wall_now());
    if (not_sent_.first == 0) not_sent_.first = not_sent_.last;
  }
  s.not_sent = not_sent_;
  told_ = true;
  messages_when_told_ = b.messages;
  // RFC 7011 §8.4: over UDP templates can be lost.
  const bool templates = udp || !statistics_templates_sent_;
  statistics_templates_sent_ = true;  // before: sending may begin another session
  encoder_->statistics(s, templates);
}

TargetReport IpfixTarget::report() const {
  const Books& b = transport_->books();
  TargetReport r;
  r.url = url_;
  r.given = given_;
  r.sent = b.sent.records;
  r.unsuitable = unsuitable_;
  r.queue_full = b.queue_full.records;
  r.failed = b.failed.records;
  r.data_records = b.sent.data_records;
  r.messages = b.messages;
  r.octets = b.octets;
  r.templates = encoder_->template_count();
  r.groups_left_out = encoder_->groups_left_out();
  r.connections = b.connections;
  r.trouble = b.trouble;
  return r;
}

void IpfixTarget::keep_counts() {
  TargetReport now = report();
  for (const ReportedCounter& r : kReportedCounters) counters_.add(r.counter, now.*r.value - counted_.*r.value);
  counted_ = std::move(now);
}

// What the options of a URL may be; a misspelt one must not be ignored in silence.
void check_options(const Url& url) {
  const auto allowed = [&](std::string_view key) {
    if (key == "profile" || key == "types" || key == "statistics") return true;
    if (key == "queue") return url.network();
    return url.scheme == Url::Scheme::udp && (key == "rate" || key == "refresh" || key == "message");
  };
  for (const auto& [key, value] : url.options)
    if (!allowed(key))
      throw std::runtime_error(
          "\"" + url.text + "\": there is no option " + key +
          " here; there are profile, types and statistics, for udp and tcp queue, for udp rate, refresh and "
          "message");
}

std::string option(const Url& url, std::string_view key, std::string otherwise) {
  const auto found = url.options.find(key);
  return found == url.options.end() ? otherwise : found->second;
}

bool switch_option(const Url& url, std::string_view key, bool otherwise) {
  const std::string value = option(url, key, otherwise ? "on" : "off");
  if (value != "on" && value != "off")
    throw std::runtime_error("\"" + url.text + "\": the option " + std::string(key) + " is \"" + value +
                             "\"; it must be on or off");
  return value == "on";
}

}  // namespace

std::unique_ptr<Target> open_target(std::string_view text, const TargetOptions& options, Counters& counters) {
  const Url url = parse_url(text);
  check_options(url);
  if (options.enterprise == 0 || options.enterprise > kLargestSafeEnterprise ||
      options.enterprise == schema::kReversePen)
    throw std::runtime_error("the enterprise number " + std::to_string(options.enterprise) +
                             " cannot be used: it must be from 1 to 65535 and not 29305");
  if (options.domain == 0)
    throw std::runtime_error("the observation domain 0 is that of the type records; flows need another");
  const std::string name = option(url, "profile", "native");
  std::unique_ptr<Profile> profile = make_profile(name);
  if (!profile)
    throw std::runtime_error("\"" + url.text + "\": there is no profile \"" + name + "\"; there are " +
                             std::string(kProfileNames));
  const bool types = switch_option(url, "types", profile->own_elements());
  const bool statistics = switch_option(url, "statistics", true);
  return std::make_unique<IpfixTarget>(url, options, std::move(profile), types, statistics, counters);
}

}  // namespace probe
