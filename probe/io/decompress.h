// gzip, zstd and xz as byte sources over another one.
#pragma once

#include <memory>
#include <string>

#include "probe/io/byte_source.h"
#include "probe/io/window.h"

namespace probe::io {

// What the first octets of a file say.
enum class Compression : std::uint8_t { none, gzip, zstd, xz };
Compression compression_of(Bytes first);

// The octets inside. Several compressed members, one after the other, are read as one file (RFC 1952 §2.2, RFC 8878
// §3, xz format §2). Memory is bounded by what the format's own writers use at their default window limits; a file
// that asks for more is refused through failure().
std::unique_ptr<ByteSource> decompress(Compression, std::unique_ptr<Window> compressed);

}  // namespace probe::io
