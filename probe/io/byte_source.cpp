#include "probe/io/byte_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace probe::io {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

class FileSource final : public ByteSource {
 public:
  FileSource(int descriptor, bool ours, std::uint64_t size) : descriptor_(descriptor), ours_(ours), size_(size) {}
  ~FileSource() override {
    if (ours_) close(descriptor_);
  }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  std::size_t read(std::span<std::uint8_t> into) override {
    while (true) {
      const ssize_t got = ::read(descriptor_, into.data(), into.size());
      if (got >= 0) {
        position_ += static_cast<std::uint64_t>(got);
        return static_cast<std::size_t>(got);
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        // Standard input may have been made non-blocking by whoever shares it.
        pollfd wait{descriptor_, POLLIN, 0};
        if (poll(&wait, 1, -1) >= 0 || errno == EINTR) continue;
      }
      if (errno == EINTR) continue;
      failure_ = "reading failed: " + reason(errno);
      return 0;
    }
  }

  std::uint64_t position() const override { return position_; }
  std::uint64_t size() const override { return size_; }

 private:
  const int descriptor_;
  const bool ours_;
  const std::uint64_t size_;
  std::uint64_t position_ = 0;
};

}  // namespace

std::unique_ptr<ByteSource> open_file(const std::string& path) {
  const bool standard_input = path == "-";
  const int descriptor = standard_input ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw std::runtime_error(path + ": cannot be opened: " + reason(errno));
  struct stat status {};
  const bool known = fstat(descriptor, &status) == 0;
  if (known && S_ISDIR(status.st_mode)) {
    if (!standard_input) close(descriptor);
    throw std::runtime_error(path + ": is a directory, not a capture file");
  }
  const bool regular = known && S_ISREG(status.st_mode);
  return std::make_unique<FileSource>(descriptor, !standard_input,
                                      regular ? static_cast<std::uint64_t>(status.st_size) : 0);
}

}  // namespace probe::io
