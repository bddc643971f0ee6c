// Elements that come in twos: said of server and client, or of both ways through a flow. The compiler finds the twin in
// the table or refuses.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "exporter/record/record.h"

namespace probe {

using FlowDraft = Draft<"flow">;

// Name of the element that says of the client what this one says of the server.
template <schema::Name Field>
constexpr auto client_twin_of() {
  constexpr std::string_view kServer = "Server", kClient = "Client";
  std::size_t at = 0;  // not view().find(): GCC 12 takes it for no constant where undefined behaviour is looked for
  while (!std::equal(kServer.begin(), kServer.end(), Field.chars + at)) ++at;
  schema::Name name = Field;
  std::copy(kClient.begin(), kClient.end(), name.chars + at);
  return name;
}

// RFC 5103 §6.1.
template <schema::Name Field>
constexpr auto reverse_twin_of() {
  constexpr std::string_view kPrefix = "reverse", kName = Field.view();
  char chars[kPrefix.size() + kName.size() + 1]{};
  std::copy(kPrefix.begin(), kPrefix.end(), chars);
  std::copy(kName.begin(), kName.end(), chars + kPrefix.size());
  chars[kPrefix.size()] = static_cast<char>(kName.front() - 'a' + 'A');
  return schema::Name(chars);
}

enum class Peer { server, client };

template <schema::Name Field, Peer Whose, class V>
void set_of(FlowDraft& r, V value) {
  if constexpr (Whose == Peer::client)
    r.set<client_twin_of<Field>()>(value);
  else
    r.set<Field>(value);
}

enum class Way { forward, reverse };  // that of the initiator's packets, of the responder's

template <schema::Name Field, Way Which, class V>
void set_of(FlowDraft& r, V value) {
  if constexpr (Which == Way::reverse)
    r.set<reverse_twin_of<Field>()>(value);
  else
    r.set<Field>(value);
}

}  // namespace probe
