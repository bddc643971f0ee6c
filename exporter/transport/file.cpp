#include "exporter/transport/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace probe {

FileTransport::FileTransport(const Url& url) : path_(url.path) {
  file_ = Descriptor(open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file_) throw std::runtime_error("cannot write " + path_ + ": " + error_text(errno));
}

void FileTransport::send(Bytes message, const Tally& tally) {
  if (!file_) {
    books_.failed += tally;
    return;
  }
  buffer_.insert(buffer_.end(), message.begin(), message.end());
  waiting_ += tally;
  ++waiting_messages_;
  if (buffer_.size() >= kBufferOctets) write_out();
}

void FileTransport::write_out() {
  Bytes rest = buffer_;
  while (!rest.empty()) {
    const ssize_t n = write(file_.get(), rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      books_.trouble = "cannot write " + path_ + ": " + error_text(errno);
      books_.failed += waiting_;
      file_.reset();
      break;
    }
    rest = rest.subspan(static_cast<std::size_t>(n));
  }
  if (rest.empty()) {
    books_.sent += waiting_;
    books_.messages += waiting_messages_;
    books_.octets += buffer_.size();
  }
  buffer_.clear();
  waiting_ = {};
  waiting_messages_ = 0;
}

}  // namespace probe
