#include "dissectors/kit/rtsp_tracks.h"

#include <algorithm>
#include <new>

#include "exporter/schema/element.h"

namespace probe::rtsp {

void Tracks::describe(std::string_view body, Notebook& notes) {
  sdp::Description d;
  if (!sdp::parse(body, d) || d.count == 0) return;
  if (!page_) {
    void* const page = notes.take_page();
    if (!page) return;
    page_ = new (page) Page;
  }
  count_ = static_cast<std::uint8_t>(d.count);
  for (std::size_t i = 0; i < std::min(d.count, kMost); ++i) {
    const std::string_view control = d.lines[i].control;
    page_->tracks[i] = {d.lines[i].media, schema::hash(control),
                        static_cast<std::uint16_t>(std::min<std::size_t>(control.size(), 0xffff))};
  }
}

std::uint8_t Tracks::find(std::string_view url) const {
  if (count_ == 1) return 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(count_, kMost); ++i) {
    const Track& t = page_->tracks[i];
    const std::size_t n = t.control_octets;
    if (n == 0 || n > url.size() || schema::hash(url.substr(url.size() - n)) != t.control) continue;
    if (n == url.size() || url[url.size() - n - 1] == '/') return static_cast<std::uint8_t>(i);
  }
  return kNone;
}

Media Tracks::media(std::uint8_t track) const {
  return page_ && track < std::min<std::size_t>(count_, kMost) ? page_->tracks[track].media : Media{};
}

void Tracks::release(Notebook& notes) {
  if (page_) notes.give_page(page_);
  page_ = nullptr;
  count_ = 0;
}

}  // namespace probe::rtsp
