// The templates that an exporter has told, each checked before anything is read by it. What is kept is bounded, however
// many an exporter sends.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "exporter/record/view.h"
#include "probe/base/bytes.h"

namespace probe::ipfix {

// A template as it was received.
struct WireTemplate {
  bool options = false;
  bool types = false;  // of RFC 5610 type records
  std::vector<Field> fields;
  std::size_t least_octets = 0;  // of a record: variable-length fields empty

  std::size_t kind = schema::kNone;  // of record that it describes
  std::vector<std::uint8_t> places;  // of that kind which are on the wire
  bool continuation = false;         // can be: it has a flow's key, but not its counts
  // The same octets with what no record of ours has called paddingOctets: all that libfixbuf is told.
  std::vector<Field> readable;
  std::uint16_t internal_id = 0;  // templates that read alike share one
};

class Catalogue {
 public:
  explicit Catalogue(std::uint32_t enterprise) : enterprise_(enterprise) {}

  // The records of a template set (2) or an options template set (3). False if they are broken: those before are kept.
  bool learn(std::uint32_t domain, std::uint16_t set_id, Bytes records);
  std::shared_ptr<const WireTemplate> find(std::uint32_t domain, std::uint16_t id) const;  // nullptr if there is none

  // RFC 5610: remembers the name of an element.
  void learn_name(const WireTemplate&, Bytes record);
  std::uint64_t ignored_fields() const { return ignored_fields_; }
  std::vector<std::string> ignored_names() const;  // of elements in templates that no record of ours has

  // Splits a record of this template off the cursor. Not ok() if it is cut. `each(field, octets)` may be empty.
  template <class Each>
  static void walk(const WireTemplate& t, Cursor& c, Each&& each) {
    for (const Field& f : t.fields) {
      std::size_t n = f.octets;
      if (f.octets == kVariableLength) {  // RFC 7011 §7
        n = c.u8();
        if (n == 255) n = c.u16();
      }
      each(f, c.take(n));
      if (!c.ok()) return;
    }
  }

 private:
  using Element = std::pair<std::uint32_t, std::uint16_t>;  // enterprise, id; as on the wire
  bool learn_one(std::uint32_t domain, bool options, Cursor& c);
  void understand(WireTemplate&);
  bool number(WireTemplate&);

  std::uint32_t enterprise_;
  std::map<std::pair<std::uint32_t, std::uint16_t>, std::shared_ptr<const WireTemplate>> templates_;
  std::map<std::vector<std::uint64_t>, std::uint16_t> ids_;  // by kind and content
  std::map<Element, std::string> names_;
  std::set<Element> ignored_;
  std::uint64_t ignored_fields_ = 0;
};

}  // namespace probe::ipfix
