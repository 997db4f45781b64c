#pragma once

#include <zlib.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace zlib {

// The server's end of permessage-deflate, by zlib and nothing of the library's.
class Peer {
 public:
  // Flush Z_FINISH: each message is a stream of its own, with BFINAL in its last block and an empty byte behind it (RFC
  // 7692 7.2.3.4).
  explicit Peer(int window_bits = 15, bool context_takeover = true, int flush = Z_SYNC_FLUSH)
      : context_takeover_(context_takeover), flush_(flush) {
    if (deflateInit2(&out_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        inflateInit2(&in_, -15) != Z_OK) {
      throw std::runtime_error("zlib");
    }
  }
  ~Peer() {
    deflateEnd(&out_);
    inflateEnd(&in_);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  std::string compress(std::string_view message) {
    if (!context_takeover_) deflateReset(&out_);
    std::string out(deflateBound(&out_, message.size()) + 64, '\0');
    out_.next_in = bytes(message.data());
    out_.avail_in = static_cast<uInt>(message.size());
    out_.next_out = bytes(out.data());
    out_.avail_out = static_cast<uInt>(out.size());
    deflate(&out_, flush_);
    out.resize(out.size() - out_.avail_out);
    if (flush_ == Z_FINISH) {
      deflateReset(&out_);
      return out + '\0';
    }
    return out.substr(0, out.size() - 4);
  }

  // The next message may refer to this as to one before.
  void refer_to(std::string_view text) {
    deflateReset(&out_);
    deflateSetDictionary(&out_, bytes(text.data()), static_cast<uInt>(text.size()));
  }

  // Whether or not messages refer to those before. Throws where zlib would not read it.
  std::string inflate(std::string_view payload) {
    const std::string all = std::string(payload) + std::string("\0\0\xff\xff", 4);
    std::string out;
    in_.next_in = bytes(all.data());
    in_.avail_in = static_cast<uInt>(all.size());
    do {
      char part[4096];
      in_.next_out = bytes(part);
      in_.avail_out = sizeof part;
      const int result = ::inflate(&in_, Z_SYNC_FLUSH);
      if (result != Z_OK && result != Z_BUF_ERROR) throw std::runtime_error("the client's DEFLATE is none");
      out.append(part, sizeof part - in_.avail_out);
    } while (in_.avail_out == 0);
    return out;
  }
  void forget() { inflateReset(&in_); }

 private:
  static Bytef* bytes(const char* data) { return reinterpret_cast<Bytef*>(const_cast<char*>(data)); }

  z_stream out_{}, in_{};
  const bool context_takeover_;
  const int flush_;
};

}  // namespace zlib
