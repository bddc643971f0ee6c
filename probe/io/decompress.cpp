#include "probe/io/decompress.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <new>
#include <utility>

namespace probe::io {
namespace {

constexpr std::uint8_t kGzipMagic[] = {0x1f, 0x8b};
constexpr std::uint8_t kZstdMagic[] = {0x28, 0xb5, 0x2f, 0xfd};
constexpr std::uint8_t kXzMagic[] = {0xfd, '7', 'z', 'X', 'Z', 0};

bool begins_with(Bytes first, Bytes magic) {
  return first.size() >= magic.size() && std::equal(magic.begin(), magic.end(), first.begin());
}

// What the three decoders have in common: input from a window, and an end that is told once.
class Decompressor : public ByteSource {
 public:
  Decompressor(const char* format, std::unique_ptr<Window> input) : format_(format), input_(std::move(input)) {}

  std::size_t read(std::span<std::uint8_t> into) final {
    std::size_t made = 0;
    while (made == 0 && !ended_) made = step(into);
    return made;
  }

  std::uint64_t position() const final { return input_->source().position(); }
  std::uint64_t size() const final { return input_->source().size(); }

 protected:
  // Decodes some input; how many octets it put into `into`, which may be 0 without being the end.
  virtual std::size_t step(std::span<std::uint8_t> into) = 0;

  void end() { ended_ = true; }
  void fail(const std::string& why) {
    ended_ = true;
    failure_ = std::string("the ") + format_ + " data is damaged near octet " + std::to_string(input_->offset()) +
               " of the compressed file: " + why;
  }
  void fail_at_input_end() {
    if (!input_->source().failure().empty()) {
      ended_ = true;
      failure_ = input_->source().failure();
    } else {
      fail("it ends too early");
    }
  }
  bool has_input() { return input_->need(1); }
  Window& input() { return *input_; }

 private:
  const char* const format_;
  const std::unique_ptr<Window> input_;
  bool ended_ = false;
};

class GzipSource final : public Decompressor {
 public:
  explicit GzipSource(std::unique_ptr<Window> input) : Decompressor("gzip", std::move(input)) {
    constexpr int kLargestWindow = 15, kGzipOnly = 16;
    if (inflateInit2(&stream_, kLargestWindow + kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~GzipSource() override { inflateEnd(&stream_); }

 private:
  std::size_t step(std::span<std::uint8_t> into) override {
    if (between_members_ && !next_member()) return 0;
    if (!has_input()) return fail_at_input_end(), 0;
    const Bytes in = input().view();
    stream_.next_in = const_cast<Bytef*>(in.data());  // zlib's input is not const, and not written
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = into.data();
    stream_.avail_out = static_cast<uInt>(into.size());
    const int result = inflate(&stream_, Z_NO_FLUSH);
    input().drop(in.size() - stream_.avail_in);
    if (result == Z_STREAM_END) {
      between_members_ = true;
    } else if (result != Z_OK) {
      fail(stream_.msg ? stream_.msg : "the decoder cannot go on");
    }
    return into.size() - stream_.avail_out;
  }

  // Behind a member: another one, the end, or zeros up to a tape block's end, which gzip(1) passes over as well.
  bool next_member() {
    while (has_input() && input().view()[0] == 0) input().drop(1);
    if (!has_input()) {
      if (input().source().failure().empty()) {
        end();
      } else {
        fail_at_input_end();
      }
      return false;
    }
    between_members_ = false;
    inflateReset(&stream_);
    return true;
  }

  z_stream stream_{};
  bool between_members_ = false;
};

class ZstdSource final : public Decompressor {
 public:
  explicit ZstdSource(std::unique_ptr<Window> input) : Decompressor("zstd", std::move(input)) {
    if (!stream_) throw std::bad_alloc();
  }
  ~ZstdSource() override { ZSTD_freeDStream(stream_); }
  ZstdSource(const ZstdSource&) = delete;
  ZstdSource& operator=(const ZstdSource&) = delete;

 private:
  std::size_t step(std::span<std::uint8_t> into) override {
    // The decoder may hold octets back for want of room, so it is asked again even without input.
    if (!flushing_ && !has_input()) {
      if (inside_frame_ || !input().source().failure().empty()) return fail_at_input_end(), 0;
      return end(), 0;
    }
    // On an error the decoder forgets what it made in the same call. So it gets no more than it asks for, which is a
    // block, and only the damaged block is lost.
    const Bytes view = input().view();
    ZSTD_inBuffer in{view.data(), std::min(view.size(), wanted_), 0};
    ZSTD_outBuffer out{into.data(), into.size(), 0};
    const std::size_t result = ZSTD_decompressStream(stream_, &out, &in);
    input().drop(in.pos);
    if (ZSTD_isError(result)) {
      fail(ZSTD_getErrorName(result));
      return out.pos;
    }
    inside_frame_ = result != 0;
    wanted_ = inside_frame_ ? result : kFirstWanted;
    flushing_ = inside_frame_ && out.pos == out.size;
    return out.pos;
  }

  static constexpr std::size_t kFirstWanted = 5;  // magic number and frame descriptor, RFC 8878 §3.1.1

  ZSTD_DStream* const stream_ = ZSTD_createDStream();
  std::size_t wanted_ = kFirstWanted;
  bool inside_frame_ = true;
  bool flushing_ = false;
};

class XzSource final : public Decompressor {
 public:
  explicit XzSource(std::unique_ptr<Window> input) : Decompressor("xz", std::move(input)) {
    constexpr std::uint64_t kMemoryLimit = std::uint64_t{128} << 20;  // xz -9 needs 65 MiB
    if (lzma_stream_decoder(&stream_, kMemoryLimit, LZMA_CONCATENATED) != LZMA_OK) throw std::bad_alloc();
  }
  ~XzSource() override { lzma_end(&stream_); }

 private:
  std::size_t step(std::span<std::uint8_t> into) override {
    const bool more = has_input();
    if (!more && !input().source().failure().empty()) return fail_at_input_end(), 0;
    const Bytes in = input().view();
    stream_.next_in = in.data();
    stream_.avail_in = in.size();
    stream_.next_out = into.data();
    stream_.avail_out = into.size();
    const lzma_ret result = lzma_code(&stream_, more ? LZMA_RUN : LZMA_FINISH);
    input().drop(in.size() - stream_.avail_in);
    if (result == LZMA_STREAM_END) {
      end();
    } else if (result != LZMA_OK) {
      fail(reason(result));
    }
    return into.size() - stream_.avail_out;
  }

  static const char* reason(lzma_ret result) {
    switch (result) {
      case LZMA_BUF_ERROR:
        return "it ends too early";
      case LZMA_FORMAT_ERROR:
        return "octets that are no xz stream";
      case LZMA_MEMLIMIT_ERROR:
        return "it needs more than 128 MiB of memory";
      case LZMA_MEM_ERROR:
        return "there is not enough memory";
      case LZMA_OPTIONS_ERROR:
        return "it uses a filter that liblzma does not know";
      default:
        return "a check sum or a code is wrong";
    }
  }

  lzma_stream stream_ = LZMA_STREAM_INIT;
};

}  // namespace

Compression compression_of(Bytes first) {
  if (begins_with(first, kGzipMagic)) return Compression::gzip;
  if (begins_with(first, kZstdMagic)) return Compression::zstd;
  if (begins_with(first, kXzMagic)) return Compression::xz;
  return Compression::none;
}

std::unique_ptr<ByteSource> decompress(Compression compression, std::unique_ptr<Window> compressed) {
  switch (compression) {
    case Compression::gzip:
      return std::make_unique<GzipSource>(std::move(compressed));
    case Compression::zstd:
      return std::make_unique<ZstdSource>(std::move(compressed));
    case Compression::xz:
      return std::make_unique<XzSource>(std::move(compressed));
    case Compression::none:
      break;
  }
  return nullptr;
}

}  // namespace probe::io
