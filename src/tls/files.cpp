#include "tls/files.h"

#include <sys/stat.h>

namespace cwire {

namespace {

std::int64_t ns_of(const timespec& time) { return std::int64_t{time.tv_sec} * 1000000000 + time.tv_nsec; }

}  // namespace

TlsFiles::TlsFiles(const TlsSettings& settings) {
  for (const std::string* path : {&settings.ca_cert, &settings.crl_file, &settings.client_cert, &settings.client_key}) {
    if (!path->empty()) states_.push_back(state_of(*path));
  }
}

TlsFiles::State TlsFiles::state_of(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return {};
  return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino),
          static_cast<std::uint64_t>(status.st_size), ns_of(status.st_mtim), ns_of(status.st_ctim)};
}

bool TlsFiles::State::operator==(const State& other) const {
  return device == other.device && inode == other.inode && size == other.size && modified_ns == other.modified_ns &&
         changed_ns == other.changed_ns;
}

}  // namespace cwire
