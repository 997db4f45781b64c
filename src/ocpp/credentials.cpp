#include "ocpp/credentials.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <string>

#include "base/ascii.h"
#include "base/failure.h"

namespace cwire {
namespace {

// OCPP 1.6 security whitepaper: AuthorizationKey is 16 to 20 bytes, as 32 to 40 hex digits.
constexpr std::size_t kKeyBytesMin = 16;
constexpr std::size_t kKeyBytesMax = 20;

[[noreturn]] void refuse(std::string why) { throw Error(CWIRE_E_CONFIG, std::move(why)); }

// Room for secret bytes that is never reallocated, since that would leave a copy behind, and is overwritten at the end.
class Scratch {
 public:
  explicit Scratch(std::size_t size_max) { bytes_.reserve(size_max); }
  ~Scratch() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  void append(std::string_view text) { bytes_.append(text); }
  void append(char c) { bytes_.push_back(c); }
  std::string_view view() const { return bytes_; }

  // Appends the base64 of `plain`. EVP_EncodeBlock writes a NUL as well, which is taken off again.
  void append_base64(std::string_view plain) {
    const std::size_t before = bytes_.size();
    bytes_.resize(before + (plain.size() + 2) / 3 * 4 + 1);
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(&bytes_[before]),
                    reinterpret_cast<const unsigned char*>(plain.data()), static_cast<int>(plain.size()));
    bytes_.pop_back();
  }

 private:
  std::string bytes_;
};

void append_hex_key(Scratch& out, std::string_view digits) {
  if (digits.size() % 2 != 0) refuse("csms.auth.password: password_format is hex, but the number of digits is odd");
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = hex_digit(digits[i]);
    const int low = hex_digit(digits[i + 1]);
    if (high < 0 || low < 0) {
      refuse(
          "csms.auth.password: password_format is hex, but not every character is a hex digit; set it to text if the "
          "CSMS expects the characters themselves");
    }
    out.append(static_cast<char>(high * 16 + low));
  }
  const std::size_t bytes = digits.size() / 2;
  if (bytes < kKeyBytesMin || bytes > kKeyBytesMax) {
    refuse("csms.auth.password: password_format is hex and needs 32 to 40 digits (16 to 20 bytes), not " +
           std::to_string(digits.size()));
  }
}

Secret basic(const AuthSettings& auth, std::string_view station_id) {
  const std::string_view user = auth.username.empty() ? station_id : std::string_view(auth.username);
  const std::string_view password = auth.password.reveal();
  if (user.empty()) refuse("csms.auth.username: Basic auth needs a username");
  if (user.find(':') != std::string_view::npos) {
    refuse("csms.auth.username: it holds ':', where the password would begin (RFC 7617); use a username without");
  }
  if (holds_control(user)) refuse("csms.auth.username: it holds a control character; remove it");
  if (password.empty()) {
    refuse("csms.auth.type is basic but there is no password; set csms.auth.password or csms.auth.password_file");
  }

  if (auth.password_format == PasswordFormat::hex) {
    Scratch key(password.size() / 2);
    append_hex_key(key, password);
    return basic_authorization(user, Secret(key.view()));
  }
  if (holds_control(password)) {
    refuse(
        "csms.auth.password: it holds a control character (CR, LF, NUL, ...); remove it, or use password_format hex "
        "for raw bytes");
  }
  return basic_authorization(user, auth.password);
}

Secret bearer(const AuthSettings& auth) {
  const std::string_view token = auth.token.reveal();
  if (token.empty()) {
    refuse("csms.auth.type is bearer but there is no token; set csms.auth.token or csms.auth.token_file");
  }
  for (const char c : token) {
    if (c < 0x21 || c > 0x7e) {
      refuse(
          "csms.auth.token: it holds a space, a control character or one outside ASCII; a token has none (RFC 6750)");
    }
  }
  constexpr std::string_view kPrefix = "Bearer ";
  Scratch header(kPrefix.size() + token.size());
  header.append(kPrefix);
  header.append(token);
  return Secret(header.view());
}

}  // namespace

Secret basic_authorization(std::string_view username, const Secret& password) {
  Scratch plain(username.size() + 1 + password.reveal().size());
  plain.append(username);
  plain.append(':');
  plain.append(password.reveal());
  constexpr std::string_view kPrefix = "Basic ";
  Scratch header(kPrefix.size() + (plain.view().size() + 2) / 3 * 4 + 1);
  header.append(kPrefix);
  header.append_base64(plain.view());
  return Secret(header.view());
}

Secret authorization_header(const AuthSettings& auth, std::string_view station_id) {
  switch (auth.type) {
    case AuthType::basic:
      return basic(auth, station_id);
    case AuthType::bearer:
      return bearer(auth);
    case AuthType::none:
      break;
  }
  return Secret();
}

}  // namespace cwire
