#include "config/environment.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/failure.h"

namespace cwire {
namespace {

bool is_name_character(char c, bool first) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (!first && c >= '0' && c <= '9');
}

// Takes "${NAME}" off the front.
std::string_view take_variable(std::string_view& text, const std::string& where) {
  std::size_t end = 2;
  while (end < text.size() && is_name_character(text[end], end == 2)) ++end;
  if (end == 2 || end == text.size() || text[end] != '}') {
    throw Error(CWIRE_E_CONFIG,
                where + "\"${\" must begin ${NAME}, an environment variable; write $${ for the characters themselves");
  }
  const std::string name(text.substr(2, end - 2));
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) {
    throw Error(CWIRE_E_CONFIG,
                where + "the environment variable " + name + " is not set; set it, or write $${ for \"${\"");
  }
  text.remove_prefix(end + 1);
  return value;
}

}  // namespace

Secret expand_environment(std::string_view text, const std::string& where) {
  // The pieces first and the text in one go, since a buffer that grows leaves copies behind.
  std::vector<std::string_view> pieces;
  std::size_t size = 0;
  while (!text.empty()) {
    std::string_view piece;
    if (text.substr(0, 3) == "$${") {
      piece = text.substr(1, 2);
      text.remove_prefix(3);
    } else if (text.substr(0, 2) == "${") {
      piece = take_variable(text, where);
    } else {
      const std::size_t end = std::min(text.find('$', 1), text.size());
      piece = text.substr(0, end);
      text.remove_prefix(end);
    }
    pieces.push_back(piece);
    size += piece.size();
  }
  std::string joined;
  joined.reserve(size);
  for (const std::string_view piece : pieces) joined.append(piece);
  Secret expanded{joined};
  OPENSSL_cleanse(joined.data(), joined.size());
  return expanded;
}

ProxyEnvironment read_proxy_environment() {
  return ProxyEnvironment([](const char* name) { return std::getenv(name); });
}

}  // namespace cwire
