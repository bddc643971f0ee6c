// Octets compressed as gzip, zstd and xz would, in one piece.
#pragma once

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "probe/base/bytes.h"

namespace probe::test {

inline std::vector<std::uint8_t> gzip(Bytes in) {
  constexpr int kWindow = 15, kGzip = 16;
  z_stream s{};
  if (deflateInit2(&s, 6, Z_DEFLATED, kWindow + kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::runtime_error("zlib");
  std::vector<std::uint8_t> out(deflateBound(&s, in.size()));
  s.next_in = const_cast<Bytef*>(in.data());
  s.avail_in = static_cast<uInt>(in.size());
  s.next_out = out.data();
  s.avail_out = static_cast<uInt>(out.size());
  const bool good = deflate(&s, Z_FINISH) == Z_STREAM_END;
  out.resize(s.total_out);
  deflateEnd(&s);
  if (!good) throw std::runtime_error("zlib");
  return out;
}

// With a check sum at the end, as zstd(1) makes it; windows above 2^27 need --long there.
inline std::vector<std::uint8_t> zstd(Bytes in, int window_log = 20) {
  std::vector<std::uint8_t> out(ZSTD_compressBound(in.size()) + ZSTD_CStreamOutSize());
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  ZSTD_inBuffer from{in.data(), in.size(), 0};
  // Two calls, so that the encoder does not know the size before and must keep to the window it was given.
  ZSTD_compressStream2(context, &to, &from, ZSTD_e_continue);
  const bool good = ZSTD_compressStream2(context, &to, &from, ZSTD_e_end) == 0;
  ZSTD_freeCCtx(context);
  if (!good) throw std::runtime_error("zstd");
  out.resize(to.pos);
  return out;
}

inline std::vector<std::uint8_t> xz(Bytes in) {
  std::vector<std::uint8_t> out(lzma_stream_buffer_bound(in.size()));
  std::size_t size = 0;
  if (lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, nullptr, in.data(), in.size(), out.data(), &size, out.size()) !=
      LZMA_OK) {
    throw std::runtime_error("liblzma");
  }
  out.resize(size);
  return out;
}

}  // namespace probe::test
