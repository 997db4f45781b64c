#include "trace/redaction.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/http_syntax.h"
#include "ocpp/utf8.h"
#include "trace/json_text.h"

namespace cwire {

namespace {

constexpr char kHidden[] = "***";
// RPC messages of OCPP are a dozen deep.
constexpr int kDepthMax = 64;
// A name that stands as a value is that of a configuration key or a variable: 50 characters in OCPP, 100 by vendors.
constexpr std::size_t kNameMax = 100;

// ---- Words, in small letters and digits alone

// For a secret wherever in a name or a text they stand.
constexpr std::array<std::string_view, 14> kSecretWords = {
    "password",   "passwd",      "passphrase", "passcode",    "authorizationkey", "privatekey", "secret",
    "credential", "accesstoken", "authtoken",  "bearertoken", "apikey",           "simpin",     "sharedkey"};
// For a secret where a name ends with them: what an authorizationCache or a tokenType is, may be seen.
constexpr std::array<std::string_view, 12> kSecretEndings = {"authorization", "token",  "cookie",        "pin",
                                                             "pincode",       "pwd",    "psk",           "wifikey",
                                                             "wlankey",       "wpakey", "encryptionkey", "vpnkey"};
constexpr std::array<std::string_view, 2> kIdTokenEndings = {"idtag", "idtoken"};

std::string normalized(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const char small = to_lower(c);
    if ((small >= 'a' && small <= 'z') || is_digit(c)) out += small;
  }
  return out;
}

template <std::size_t Count>
bool holds_any(std::string_view text, const std::array<std::string_view, Count>& words) {
  return std::any_of(words.begin(), words.end(),
                     [text](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

template <std::size_t Count>
bool ends_with_any(std::string_view text, const std::array<std::string_view, Count>& endings) {
  return std::any_of(endings.begin(), endings.end(), [text](std::string_view ending) {
    return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
  });
}

// What a name is that of, and what a text may hold.
enum class Holding { nothing, id_token, secret };

bool hides(Holding holding, RedactionRules rules) {
  return holding == Holding::secret || (holding == Holding::id_token && !rules.shows_id_tokens);
}

// "token2" and "tokens" end as "token" does.
Holding holding_by_end(std::string_view name) {
  while (!name.empty() && is_digit(name.back())) name.remove_suffix(1);
  if (!name.empty() && name.back() == 's') name.remove_suffix(1);
  if (ends_with_any(name, kIdTokenEndings)) return Holding::id_token;
  return ends_with_any(name, kSecretEndings) ? Holding::secret : Holding::nothing;
}

// The rule for names. Normalized.
Holding holding_of_name(std::string_view name) {
  return holds_any(name, kSecretWords) ? Holding::secret : holding_by_end(name);
}

// The rule for texts: any of the words, and any name that a value stands behind: "Authorization: Basic", "pin=1234",
// "<token>". Also for JSON, XML or a form that cannot be read as such.
Holding holding_of_text(std::string_view text) {
  constexpr std::string_view kBehindNames = ":=>%";  // % begins one of them in a URL
  const std::string normal = normalized(text);
  if (holds_any(normal, kSecretWords)) return Holding::secret;
  for (std::size_t begin = 0, end; (end = text.find_first_of(kBehindNames, begin)) != std::string_view::npos;
       begin = end + 1) {
    if (holding_by_end(normalized(text.substr(begin, end - begin))) == Holding::secret) return Holding::secret;
  }
  return holds_any(normal, kIdTokenEndings) ? Holding::id_token : Holding::nothing;
}

// Why it is not to be shown; null: it may be.
const char* why_hidden(std::string_view text, RedactionRules rules) {
  const Holding holding = holding_of_text(text);
  if (hides(holding, rules)) {
    return holding == Holding::secret ? "it is no JSON, and holds a word for a secret"
                                      : "it is no JSON, and may hold an idTag";
  }
  // A letter may be written as \u0070.
  return text.find("\\u") != std::string_view::npos ? "it is no JSON, and has escapes" : nullptr;
}

// "AuthorizationKey", "SecurityCtrlr.BasicAuthPassword": it says which, and not what.
bool is_mere_name(std::string_view text) {
  return text.size() <= kNameMax && std::all_of(text.begin(), text.end(), [](char c) {
           const char small = to_lower(c);
           return (small >= 'a' && small <= 'z') || c == '.' || c == '_' || c == '-';
         });
}

// ---- URLs

void append_without_secrets_of_url(std::string& out, std::string_view word) {
  std::size_t at = word.find("://");
  if (at == std::string_view::npos) {
    out.append(word);
    return;
  }
  at += 3;
  out.append(word.substr(0, at));
  const std::string_view rest = word.substr(at), authority = rest.substr(0, rest.find_first_of("/?#"));
  const std::size_t last = rest.rfind('@');
  // A password may hold characters that should not be in it, and end the authority: nobody knows where it ends.
  if (last != std::string_view::npos && last > authority.size() && rest.find(':') < last) {
    out += kHidden;
    return;
  }
  if (const std::size_t user = authority.rfind('@'); user != std::string_view::npos && user != 0) {
    out += kHidden;
    at += user;
  }
  for (std::size_t query; (query = word.find('?', at)) != std::string_view::npos;) {
    out.append(word.substr(at, query + 1 - at));
    at = std::min(word.find('#', query), word.size());
    if (at != query + 1) out += kHidden;
  }
  out.append(word.substr(at));
}

// Without user, password and query of each URL in it. True: something was taken out.
bool hide_in_urls(std::string& text) {
  constexpr std::string_view kSpace = " \t\r\n";
  if (text.find("://") == std::string::npos) return false;
  const std::string_view all = text;
  std::string out;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find_first_of(kSpace, at), all.size());
    append_without_secrets_of_url(out, all.substr(at, end - at));
    at = std::min(all.find_first_not_of(kSpace, end), all.size());
    out.append(all.substr(end, at - end));
  }
  if (out == text) return false;
  text.swap(out);
  return true;
}

// ---- JSON

// Reads JSON as RFC 8259 has it and notes what is to be replaced.
class JsonRedactor {
 public:
  JsonRedactor(std::string_view text, const OwnSecrets& own, RedactionRules rules, int depth)
      : text_(text), own_(own), rules_(rules), depth_(depth) {}

  // False: it is no JSON.
  bool read() {
    if (!read_value({}, {}).valid) return false;
    skip_space();
    return at_ == text_.size();
  }

  bool changes() const { return !edits_.empty(); }

  std::string result() {
    // What was replaced as a whole before what was replaced within it.
    std::sort(edits_.begin(), edits_.end(), [](const Edit& a, const Edit& b) {
      return std::make_tuple(a.begin, b.end, !a.with.empty()) < std::make_tuple(b.begin, a.end, !b.with.empty());
    });
    std::string out;
    std::size_t done = 0;
    for (const Edit& edit : edits_) {
      if (edit.begin < done) continue;
      out.append(text_, done, edit.begin - done);
      if (edit.with.empty()) {
        append_json_string(out, kHidden);
      } else {
        out += edit.with;
      }
      done = edit.end;
    }
    return out.append(text_, done, std::string_view::npos);
  }

 private:
  struct Edit {
    std::size_t begin, end;
    std::string with;  // empty: hidden as a whole
  };
  struct Span {
    std::size_t begin, end;
  };
  struct Value {
    bool valid = false;
    bool is_text = false;
    Holding named = Holding::nothing;  // what a text is the name of, or a text in an object
  };

  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  void hide(std::size_t begin) { edits_.push_back({begin, at_, {}}); }
  void replace(std::size_t begin, std::string_view text) {
    edits_.push_back({begin, at_, {}});
    append_json_string(edits_.back().with, text);
  }

  // `name`: of the member that it is the value of, normalized; `of`: of the object that the member is in.
  Value read_value(std::string_view name, std::string_view of) {
    skip_space();
    if (at_ == text_.size()) return {};
    const std::size_t begin = at_;
    const char first = text_[begin];
    Value value;
    switch (first) {
      case '{':
        value = read_object(name);
        break;
      case '[':
        value = read_array(name, of);
        break;
      case '"':
        value = read_text();
        break;
      case 't':
        return {take_word("true")};
      case 'f':
        return {take_word("false")};
      case 'n':
        return {take_word("null")};
      default:
        value = {read_number()};
    }
    if (!value.valid) return value;
    // "key" alone is what OCPP 1.6 calls a name; that of a vpn is none.
    const Holding holding = holding_of_name(name == "key" ? std::string(of) + "key" : std::string(name));
    // "NoAuthorization" is a type of idToken, and no name of what stands beside that.
    if (holding == Holding::id_token) value.named = Holding::nothing;
    // In what is called idToken, OCPP 2 says what of it is one.
    const bool is_id_token = first != '{' && first != '[' && text_.substr(begin, at_ - begin) != "\"\"";
    if (hides(holding, rules_) && (holding == Holding::secret || is_id_token)) {
      hide(begin);
    } else if (name.find("value") != std::string_view::npos || name == "data") {
      beside_name_.push_back({begin, at_});
    }
    return value;
  }

  Value read_object(std::string_view name) {
    if (++depth_ > kDepthMax) return {};
    const std::size_t first_beside = beside_name_.size();
    Value value{true};
    bool hides_values = false;
    ++at_;
    if (!take('}')) {
      do {
        skip_space();
        std::string member;
        if (!read_string(member) || !take(':')) return {};
        const Value of_member = read_value(normalized(member), name);
        if (!of_member.valid) return {};
        if (of_member.is_text) value.named = std::max(value.named, of_member.named);
        hides_values = hides_values || hides(of_member.named, rules_);
      } while (take(','));
      if (!take('}')) return {};
    }
    if (hides_values) {
      for (std::size_t i = first_beside; i < beside_name_.size(); ++i) {
        edits_.push_back({beside_name_[i].begin, beside_name_[i].end, {}});
      }
      beside_name_.resize(first_beside);
    }
    --depth_;
    return value;
  }

  // Its elements are what its name says.
  Value read_array(std::string_view name, std::string_view of) {
    if (++depth_ > kDepthMax) return {};
    ++at_;
    if (!take(']')) {
      do {
        if (!read_value(name, of).valid) return {};
      } while (take(','));
      if (!take(']')) return {};
    }
    --depth_;
    return {true};
  }

  Value read_text() {
    const std::size_t begin = at_;
    std::string text;
    if (!read_string(text)) return {};
    if (own_.find_in(text) != OwnSecrets::Found::nothing) {
      hide(begin);
    } else if (hide_in_json(begin, text)) {
      return {true};
    } else if (!is_mere_name(text)) {
      if (why_hidden(text, rules_) != nullptr) {
        hide(begin);
      } else if (hide_in_urls(text)) {
        replace(begin, text);
      }
    }
    return {true, true, text.size() <= kNameMax ? holding_of_name(normalized(text)) : Holding::nothing};
  }

  // As DataTransfer has it: JSON in a string. False: it is none, and to be looked at as text.
  bool hide_in_json(std::size_t begin, const std::string& text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string::npos || (text[first] != '{' && text[first] != '[')) return false;
    JsonRedactor inner(text, own_, rules_, depth_);
    if (!inner.read()) return false;
    if (inner.changes()) replace(begin, inner.result());
    return true;
  }

  bool read_number() {
    take_word("-");
    const auto digits = [this] {
      const std::size_t begin = at_;
      while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
      return at_ != begin;
    };
    if (!take_word("0") && !digits()) return false;
    if (take_word(".") && !digits()) return false;
    if (take_word("e") || take_word("E")) {
      if (!take_word("+")) take_word("-");
      return digits();
    }
    return true;
  }

  // Into `out` as it reads without escapes.
  bool read_string(std::string& out) {
    if (at_ == text_.size() || text_[at_] != '"') return false;
    for (++at_; at_ < text_.size();) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        out += c;
      } else if (!read_escape(out)) {
        return false;
      }
    }
    return false;
  }

  bool read_escape(std::string& out) {
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (at_ == text_.size()) return false;
    const char c = text_[at_++];
    if (c != 'u') {
      const std::size_t which = kEscapes.find(c);
      if (which == std::string_view::npos) return false;
      out += kMeanings[which];
      return true;
    }
    std::uint32_t code = 0;
    if (!read_four_digits(code)) return false;
    if (code >= 0xd800 && code < 0xdc00 && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      std::uint32_t low = 0;
      if (!read_four_digits(low)) return false;
      code = 0x10000 + ((code - 0xd800) << 10) + ((low - 0xdc00) & 0x3ff);
    }
    append_utf8(out, code);
    return true;
  }

  bool read_four_digits(std::uint32_t& code) {
    if (text_.size() - at_ < 4) return false;
    code = 0;
    for (int i = 0; i < 4; ++i) {
      const int digit = hex_digit(text_[at_++]);
      if (digit < 0) return false;
      code = code << 4 | static_cast<std::uint32_t>(digit);
    }
    return true;
  }

  // Half a surrogate pair too: it is only compared, and written out as what is no UTF-8.
  static void append_utf8(std::string& out, std::uint32_t code) {
    const auto add = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
      add(code);
    } else if (code < 0x800) {
      add(0xc0 | code >> 6), add(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
      add(0xe0 | code >> 12), add(0x80 | (code >> 6 & 0x3f)), add(0x80 | (code & 0x3f));
    } else {
      add(0xf0 | code >> 18), add(0x80 | (code >> 12 & 0x3f)), add(0x80 | (code >> 6 & 0x3f)),
          add(0x80 | (code & 0x3f));
    }
  }

  const std::string_view text_;
  const OwnSecrets& own_;
  const RedactionRules rules_;
  int depth_;
  std::size_t at_ = 0;
  std::vector<Edit> edits_;
  std::vector<Span> beside_name_;  // values that are secret if a name beside them is that of a secret
};

Redacted withheld(const char* why) { return {std::string(), true, why}; }

// What is no JSON is shown only if it can hold no secret, and what is binary not in part.
Redacted redact_other(std::string_view payload, bool binary, RedactionRules rules) {
  if (const char* why = why_hidden(payload, rules)) return withheld(why);
  Redacted redacted{std::string(payload)};
  redacted.changed = hide_in_urls(redacted.text);
  if (binary && redacted.changed) return withheld("it is no JSON, and holds a URL with a user or a query");
  return redacted;
}

}  // namespace

Redacted redact_message(std::string_view payload, bool binary, const OwnSecrets& own, RedactionRules rules) {
  Redacted redacted;
  JsonRedactor json(payload, own, rules, 0);
  if (binary || !json.read()) {
    redacted = redact_other(payload, binary, rules);
  } else if (json.changes()) {
    redacted = {json.result(), true};
  } else {
    redacted.text = payload;
  }
  if (own.find_in(redacted.text) != OwnSecrets::Found::nothing) {
    return withheld("it holds a credential, a header or the query of this station");
  }
  return redacted;
}

bool is_secret_header(std::string_view name) {
  const std::string normal = normalized(name);
  return holding_of_name(normal) != Holding::nothing || normal.find("token") != std::string::npos ||
         ends_with_any(normal, std::array<std::string_view, 1>{"authenticationinfo"});
}

std::string redact_header(std::string_view line, bool is_secret, const OwnSecrets& own) {
  const bool holds_ours = own.find_in(line) != OwnSecrets::Found::nothing;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || line.substr(0, 5) == "HTTP/") {
    if (!holds_ours && why_hidden(line, {}) == nullptr) {
      std::string shown(line);
      hide_in_urls(shown);
      return shown;
    }
    // Where there is no colon nobody knows which part is the value; of a status line, the phrase is.
    constexpr std::size_t kStatusEnd = std::string_view("HTTP/1.1 401 ").size();
    const bool is_status = line.substr(0, 5) == "HTTP/" && line.size() > kStatusEnd && !holds_ours;
    return std::string(is_status ? line.substr(0, kStatusEnd) : std::string_view()) + kHidden;
  }
  const std::string_view name = line.substr(0, colon);
  std::string value(trimmed(line.substr(colon + 1)));
  if (holds_ours || is_secret || is_secret_header(name) || why_hidden(value, {}) != nullptr) {
    if (own.find_in(name) != OwnSecrets::Found::nothing) return kHidden;
    return std::string(name) + ": " + kHidden;
  }
  hide_in_urls(value);
  // It may be relative.
  if (equals_ignoring_case(trimmed(name), "Location")) value = redact_query(value);
  return std::string(name) + ": " + value;
}

std::string redact_query(std::string_view path) {
  const std::size_t query = path.find('?');
  if (query == std::string_view::npos || query + 1 == path.size()) return std::string(path);
  return std::string(path.substr(0, query + 1)) + kHidden;
}

}  // namespace cwire
