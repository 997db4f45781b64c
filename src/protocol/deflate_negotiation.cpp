#include "protocol/deflate_negotiation.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/http_syntax.h"

namespace cwire {

namespace {

constexpr char kName[] = "permessage-deflate";
constexpr char kServerNoTakeover[] = "server_no_context_takeover";
constexpr char kClientNoTakeover[] = "client_no_context_takeover";
constexpr char kServerWindowBits[] = "server_max_window_bits";
constexpr char kClientWindowBits[] = "client_max_window_bits";

constexpr std::uint32_t kWindowBitsMost = 15;  // also what holds where nothing is said

constexpr char kElse[] = ", or set csms.deflate.enabled to false";

struct Parameter {
  std::string_view name;
  std::optional<std::string_view> value;
};
struct Extension {
  std::string_view name;
  std::vector<Parameter> parameters;
};

// The grammar of RFC 6455 9.1: 1#( token *( ";" token [ "=" ( token / quoted token ) ] ) ).
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  // False: it is malformed.
  bool read(std::vector<Extension>& extensions) {
    do {
      Extension extension;
      if (!token(extension.name)) return false;
      while (accept(';')) {
        Parameter parameter;
        if (!token(parameter.name)) return false;
        if (accept('=') && !value(parameter.value.emplace())) return false;
        extension.parameters.push_back(parameter);
      }
      extensions.push_back(std::move(extension));
    } while (accept(','));
    return rest_.empty();
  }

 private:
  void skip_spaces() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) rest_.remove_prefix(1);
  }
  bool accept(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // With the spaces around it.
  bool token(std::string_view& out) {
    skip_spaces();
    std::size_t size = 0;
    while (size < rest_.size() && is_token_char(rest_[size])) ++size;
    out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    skip_spaces();
    return size != 0;
  }
  bool value(std::string_view& out) {
    skip_spaces();
    if (!accept('"')) return token(out);
    const std::size_t end = rest_.find('"');
    if (end == std::string_view::npos) return false;
    out = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    skip_spaces();
    return is_token(out);
  }

  std::string_view rest_;
};

// RFC 7692 7.1.2: a decimal number from 8 to 15 without leading zeroes. 0: it is something else.
std::uint8_t window_bits(std::string_view text) {
  for (std::uint8_t bits = 8; bits <= kWindowBitsMost; ++bits) {
    if (text == std::to_string(bits)) return bits;
  }
  return 0;
}

// Empty: nothing is wrong with it.
std::string read_parameter(const Parameter& parameter, DeflateAgreement& agreed) {
  const auto problem = [&](const char* what) {
    return "gives " + std::string(parameter.name) + " of permessage-deflate " + what +
           "; ask the operator of the CSMS" + kElse;
  };
  if (parameter.name == kServerNoTakeover || parameter.name == kClientNoTakeover) {
    if (parameter.value) return problem("a value, though it has none");
    (parameter.name == kServerNoTakeover ? agreed.server_context_takeover : agreed.client_context_takeover) = false;
    return {};
  }
  if (parameter.name == kServerWindowBits || parameter.name == kClientWindowBits) {
    const std::uint8_t bits = parameter.value ? window_bits(*parameter.value) : 0;
    if (bits == 0) return problem("a value that is no number from 8 to 15");
    (parameter.name == kServerWindowBits ? agreed.server_window_bits : agreed.client_window_bits) = bits;
    return {};
  }
  return std::string("gives permessage-deflate a parameter that RFC 7692 does not know; ask the operator of the CSMS") +
         kElse;
}

}  // namespace

std::string deflate_offer(const DeflateSettings& settings) {
  std::string offer = kName;
  if (!settings.server_context_takeover) offer.append("; ").append(kServerNoTakeover);
  if (!settings.context_takeover) offer.append("; ").append(kClientNoTakeover);
  // What is not asked for need not be granted: not every server can choose the size of its window.
  if (settings.server_window_bits < kWindowBitsMost)
    offer.append("; ").append(kServerWindowBits).append("=").append(std::to_string(settings.server_window_bits));
  // So that the server may confine ours to what it can keep. Without a value: that would be a hint, which some servers
  // take for too little and refuse. We may use less in any case.
  return offer.append("; ").append(kClientWindowBits);
}

std::string read_deflate_answer(std::string_view header, const DeflateSettings& offered, DeflateAgreement& agreed) {
  std::vector<Extension> extensions;
  if (!Reader(header).read(extensions)) return "has a malformed Sec-WebSocket-Extensions";
  for (const Extension& extension : extensions) {
    if (extension.name != kName) return "names an extension in Sec-WebSocket-Extensions that was not offered";
  }
  if (extensions.size() > 1) return "accepts permessage-deflate more than once";

  agreed = DeflateAgreement();
  const std::vector<Parameter>& parameters = extensions[0].parameters;
  for (auto it = parameters.begin(); it != parameters.end(); ++it) {
    std::string problem = read_parameter(*it, agreed);
    if (!problem.empty()) return problem;
    if (std::any_of(parameters.begin(), it, [&](const Parameter& other) { return other.name == it->name; }))
      return "gives " + std::string(it->name) + " of permessage-deflate twice";
  }
  // 7.1.1.1 and 7.1.2.1: who accepts an offer grants what it asks for, and says so.
  if (!offered.server_context_takeover && agreed.server_context_takeover) {
    return std::string(
               "does not grant server_no_context_takeover, which was asked for; set "
               "csms.deflate.server_context_takeover to true, which costs memory") +
           kElse;
  }
  if (agreed.server_window_bits > offered.server_window_bits) {
    return "does not keep to server_max_window_bits=" + std::to_string(offered.server_window_bits) +
           ", which was asked for; raise csms.deflate.server_window_bits" + kElse;
  }
  // These two are what it can keep; we may use less.
  agreed.client_window_bits =
      static_cast<std::uint8_t>(std::min<std::uint32_t>(agreed.client_window_bits, offered.window_bits));
  agreed.client_context_takeover = agreed.client_context_takeover && offered.context_takeover;
  return {};
}

}  // namespace cwire
