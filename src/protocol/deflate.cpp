#include "protocol/deflate.h"

#include <algorithm>
#include <new>

namespace cwire {

namespace {

// What a flush ends with, and what is left out of each message (RFC 7692 7.2.1).
constexpr char kTail[] = {'\x00', '\x00', '\xff', '\xff'};

constexpr std::size_t kBufferLeast = 4096;

void* allocate(void*, unsigned count, unsigned size) {
  return ::operator new (std::size_t{count} * size, std::nothrow);
}
void release(void*, void* memory) { ::operator delete(memory); }

void use_our_memory(z_stream& stream) {
  stream.zalloc = allocate;
  stream.zfree = release;
}

Bytef* bytes(const char* data) { return reinterpret_cast<Bytef*>(const_cast<char*>(data)); }

}  // namespace

Deflater::Deflater(std::uint8_t window_bits, std::uint32_t memory_level)
    : window_bits_(window_bits), memory_level_(memory_level) {
  use_our_memory(stream_);
  if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -static_cast<int>(window_bits),
                   static_cast<int>(memory_level), Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
}

void Deflater::compress(std::string_view message, ByteBuffer& out) {
  out.clear();
  // zlib's bound is for a stream that ends there; a flush takes a few bytes more.
  out.reserve(deflateBound(&stream_, static_cast<uLong>(message.size())) + 16);
  stream_.next_in = bytes(message.data());
  stream_.avail_in = static_cast<uInt>(message.size());
  do {
    if (out.size() == out.capacity()) out.reserve(out.capacity() + kBufferLeast);
    stream_.next_out = bytes(out.end());
    stream_.avail_out = static_cast<uInt>(out.capacity() - out.size());
    ::deflate(&stream_, Z_SYNC_FLUSH);
    out.resize(out.capacity() - stream_.avail_out);
  } while (stream_.avail_out == 0);
  out.resize(out.size() - sizeof kTail);
}

void Deflater::forget() { deflateReset(&stream_); }

Inflater::Inflater(std::uint8_t window_bits) {
  use_our_memory(stream_);
  if (inflateInit2(&stream_, -static_cast<int>(window_bits)) != Z_OK) throw std::bad_alloc();
}

Inflater::Result Inflater::inflate(std::string_view part, std::size_t size_max, ByteBuffer& out) {
  if (part.empty()) return Result::good;
  nothing_is_open_ = false;
  stream_.next_in = bytes(part.data());
  stream_.avail_in = static_cast<uInt>(part.size());
  do {
    if (out.size() == out.capacity()) out.reserve(std::min(std::max(2 * out.capacity(), kBufferLeast), size_max + 1));
    stream_.next_out = bytes(out.end());
    stream_.avail_out = static_cast<uInt>(std::min(out.capacity(), size_max + 1) - out.size());
    const std::size_t room = stream_.avail_out;
    const int result = ::inflate(&stream_, Z_SYNC_FLUSH);
    out.resize(out.size() + room - stream_.avail_out);
    if (out.size() > size_max) return Result::too_big;
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result == Z_STREAM_END) {
      // The last block of a stream, but not of the messages (7.2.3.4): with what went before as its window, which
      // inflateReset would forget.
      inflateResetKeep(&stream_);
      nothing_is_open_ = stream_.avail_in == 0;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return Result::corrupt;
    }
  } while (stream_.avail_in != 0 || stream_.avail_out == 0);
  return Result::good;
}

Inflater::Result Inflater::finish(std::size_t size_max, ByteBuffer& out) {
  // An empty message should have a byte, and so should one behind a last block. Not every server sends it.
  if (nothing_is_open_) return Result::good;
  const Result result = inflate({kTail, sizeof kTail}, size_max, out);
  nothing_is_open_ = true;
  if (result != Result::good) return result;
  // Between two blocks, and at the end of a byte.
  constexpr int kBetweenBlocks = 128;
  constexpr int kBitsLeft = 63;
  return (stream_.data_type & (kBetweenBlocks | kBitsLeft)) == kBetweenBlocks ? Result::good : Result::corrupt;
}

void Inflater::forget(std::uint8_t window_bits) {
  inflateReset2(&stream_, -static_cast<int>(window_bits));
  nothing_is_open_ = true;
}

}  // namespace cwire
