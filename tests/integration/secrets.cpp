#include "secrets.h"

#include <chargewire/chargewire.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <vector>

namespace fixture::secrets {

namespace {

constexpr std::size_t kShortest = 12;

struct Kept {
  std::mutex mutex;
  std::set<std::string> forms;
};
Kept& kept() {
  static Kept& instance = *new Kept;  // events may still come while the program exits
  return instance;
}

bool is_secret_option(const std::string& key) {
  static const std::string schema = cwire_config_schema();
  const std::size_t option = schema.find("\"key\":\"" + key + "\"");
  if (option == std::string::npos) return false;
  const std::string word = "\"secret\":";
  const std::size_t secret = schema.find(word, option);
  return secret != std::string::npos && schema.compare(secret + word.size(), 4, "true") == 0;
}

std::string base64(const std::string& bytes) {
  std::string out(bytes.size() / 3 * 4 + 8, '\0');
  out.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(&out[0]),
                                                      reinterpret_cast<const unsigned char*>(bytes.data()),
                                                      static_cast<int>(bytes.size()))));
  return out;
}

void add_forms(const std::string& bytes, std::set<std::string>& forms) {
  forms.insert(bytes);
  // Behind a user name of any length: the characters that bits of the secret alone decide.
  for (std::size_t before = 0; before < 3; ++before) {
    const std::string text = base64(std::string(before, '\0') + bytes);
    const std::size_t from = before == 0 ? 0 : before + 1;
    const std::size_t to = (before + bytes.size()) * 8 / 6;
    forms.insert(text.substr(from, to - from));
  }
}

std::string from_hex(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return bytes;
}

}  // namespace

void keep_option(const std::string& key, const std::string& value) {
  if (value.size() < kShortest || !is_secret_option(key)) return;
  Kept& all = kept();
  const std::lock_guard<std::mutex> lock(all.mutex);
  add_forms(value, all.forms);
  const bool is_hex = std::all_of(value.begin(), value.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
  if (is_hex) add_forms(from_hex(value), all.forms);
}

bool occurs(const std::string& said) {
  Kept& all = kept();
  const std::lock_guard<std::mutex> lock(all.mutex);
  return std::any_of(all.forms.begin(), all.forms.end(),
                     [&](const std::string& form) { return said.find(form) != std::string::npos; });
}

void search(const std::string& said, const char* where) {
  if (!occurs(said)) return;
  std::fprintf(stderr, "A secret appears in %s: %s\n", where, said.c_str());
  std::abort();
}

}  // namespace fixture::secrets
