#include "probe/io/window.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace probe::io {

bool Window::need(std::size_t octets) {
  assert(octets <= capacity_ - kBlock);
  if (end_ - begin_ >= octets) return true;
  std::memmove(memory_.get(), memory_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  while (end_ < octets) {
    const std::size_t got = source_->read({memory_.get() + end_, kBlock});
    if (got == 0) return false;
    end_ += got;
  }
  return true;
}

bool Window::skip(std::uint64_t octets) {
  while (octets > 0) {
    if (begin_ == end_ && !need(1)) return false;
    const std::size_t step = static_cast<std::size_t>(std::min<std::uint64_t>(octets, end_ - begin_));
    drop(step);
    octets -= step;
  }
  return true;
}

}  // namespace probe::io
