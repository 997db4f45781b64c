#include "trace/redaction.h"

#include <algorithm>
#include <array>
#include <cstdint>
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

// As they read in small letters without _, - and spaces.
constexpr std::array<std::string_view, 14> kSecretWords = {
    "password",   "passwd",      "passphrase", "passcode",    "authorizationkey", "privatekey", "secret",
    "credential", "accesstoken", "authtoken",  "bearertoken", "apikey",           "simpin",     "sharedkey"};
constexpr std::array<std::string_view, 4> kSecretNames = {"authorization", "pin", "pincode", "cookie"};
constexpr std::array<std::string_view, 4> kIdTokenNames = {"idtag", "parentidtag", "idtoken", "additionalidtoken"};

std::string normalized(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c != '_' && c != '-' && c != ' ') out += to_lower(c);
  }
  return out;
}

bool holds_any(std::string_view text, const std::string_view* words, std::size_t count) {
  return std::any_of(words, words + count,
                     [text](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

template <std::size_t Count>
bool is_one_of(std::string_view text, const std::array<std::string_view, Count>& names) {
  return std::find(names.begin(), names.end(), text) != names.end();
}

bool holds_secret_word(std::string_view normal) { return holds_any(normal, kSecretWords.data(), kSecretWords.size()); }
bool is_secret_name(std::string_view normal) { return holds_secret_word(normal) || is_one_of(normal, kSecretNames); }

// "AuthorizationKey", "SecurityCtrlr.BasicAuthPassword": it says which, and not what.
bool is_mere_name(std::string_view text) {
  return text.size() <= kNameMax && std::all_of(text.begin(), text.end(), [](char c) {
           const char small = to_lower(c);
           return (small >= 'a' && small <= 'z') || c == '.' || c == '_' || c == '-';
         });
}

// Without user, password and query of each URL in it. True: something was taken out.
bool hide_in_urls(std::string& text) {
  constexpr std::string_view kEnd = " \t\r\n\"'<>";
  bool changed = false;
  for (std::size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at)) {
    at += 3;
    const std::size_t authority_end = std::min(text.find_first_of("/?# \t\r\n\"'<>", at), text.size());
    const std::size_t user_end = text.rfind('@', authority_end - 1);
    if (authority_end > at && user_end != std::string::npos && user_end >= at) {
      text.replace(at, user_end - at, kHidden);
      changed = true;
    }
    const std::size_t end = std::min(text.find_first_of(kEnd, at), text.size());
    const std::size_t query = text.find('?', at);
    if (query >= end) continue;
    const std::size_t query_end = std::min(text.find('#', query), end);
    if (query_end - query < 2) continue;
    text.replace(query + 1, query_end - query - 1, kHidden);
    changed = true;
  }
  return changed;
}

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
    std::sort(edits_.begin(), edits_.end(), [](const Edit& a, const Edit& b) { return a.begin < b.begin; });
    std::string out;
    std::size_t done = 0;
    for (const Edit& edit : edits_) {
      if (edit.begin < done) continue;  // within one that was replaced as a whole
      out.append(text_, done, edit.begin - done).append(edit.with);
      done = edit.end;
    }
    return out.append(text_, done, std::string_view::npos);
  }

 private:
  struct Edit {
    std::size_t begin, end;
    std::string with;
  };
  struct Span {
    std::size_t begin, end;
  };
  struct Value {
    bool valid = false;
    bool names_secret = false;  // a string that is the name of a secret, or an object with such a member
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

  void hide(std::size_t begin, std::size_t end) { edits_.push_back({begin, end, std::string("\"") + kHidden + '"'}); }

  // `name`: of the member that it is the value of, normalized; `of`: of the object or array that the member is in.
  Value read_value(std::string_view name, std::string_view of) {
    skip_space();
    if (at_ == text_.size()) return {};
    const std::size_t begin = at_;
    Value value;
    switch (text_[at_]) {
      case '{':
        value = read_object(name);
        break;
      case '[':
        value = read_array(name);
        break;
      case '"':
        value = read_text(name);
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
    if (is_secret_name(name) || (name == "key" && of == "vpn")) {
      hide(begin, at_);
    } else if (name.find("value") != std::string_view::npos || name == "data") {
      beside_name_.push_back({begin, at_});
    }
    return value;
  }

  Value read_object(std::string_view name) {
    if (++depth_ > kDepthMax) return {};
    const std::size_t first_beside = beside_name_.size();
    Value value;
    bool is_about_secret = false;
    ++at_;
    if (!take('}')) {
      do {
        skip_space();
        std::string member;
        if (!read_string(member) || !take(':')) return {};
        const Value of_member = read_value(normalized(member), name);
        if (!of_member.valid) return {};
        value.names_secret = value.names_secret || (of_member.names_secret && was_text_);
        is_about_secret = is_about_secret || of_member.names_secret;
      } while (take(','));
      if (!take('}')) return {};
    }
    if (is_about_secret) {
      for (std::size_t i = first_beside; i < beside_name_.size(); ++i) hide(beside_name_[i].begin, beside_name_[i].end);
    }
    --depth_;
    was_text_ = false;
    value.valid = true;
    return value;
  }

  Value read_array(std::string_view name) {
    if (++depth_ > kDepthMax) return {};
    ++at_;
    if (!take(']')) {
      do {
        // A list of secrets is hidden as a whole, and its elements are what its name says.
        if (!read_value(is_one_of(name, kIdTokenNames) ? name : std::string_view(), name).valid) return {};
      } while (take(','));
      if (!take(']')) return {};
    }
    --depth_;
    was_text_ = false;
    return {true};
  }

  Value read_text(std::string_view name) {
    const std::size_t begin = at_;
    std::string text;
    if (!read_string(text)) return {};
    was_text_ = true;
    const std::string normal = normalized(text);
    const bool names_secret = is_secret_name(normal) && is_mere_name(text);
    if (is_one_of(name, kIdTokenNames) && !rules_.shows_id_tokens) {
      if (!text.empty()) hide(begin, at_);
    } else if (own_.find_in(text) != OwnSecrets::Found::nothing) {
      hide(begin, at_);
    } else if (!hide_in_json(begin, text) && !names_secret) {
      if (holds_secret_word(normal)) {
        hide(begin, at_);
      } else if (hide_in_urls(text)) {
        edits_.push_back({begin, at_, {}});
        append_json_string(edits_.back().with, text);
      }
    }
    return {true, names_secret};
  }

  // As DataTransfer has it: JSON in a string. False: it is none, and to be looked at as text.
  bool hide_in_json(std::size_t begin, const std::string& text) {
    if (text.empty() || (text[0] != '{' && text[0] != '[')) return false;
    JsonRedactor inner(text, own_, rules_, depth_);
    if (!inner.read()) return false;
    if (inner.changes()) {
      edits_.push_back({begin, at_, {}});
      append_json_string(edits_.back().with, inner.result());
    }
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
  bool was_text_ = false;  // the value that was read last
  std::vector<Edit> edits_;
  std::vector<Span> beside_name_;  // values that are secret if a name beside them is that of a secret
};

Redacted withheld(const char* why) { return {std::string(), true, why}; }

// What is no JSON is shown only if it can hold none of the words.
Redacted redact_other(std::string_view payload, bool binary, RedactionRules rules) {
  const std::string normal = normalized(payload);
  if (holds_secret_word(normal)) return withheld("it is no JSON, and holds a word for a secret");
  if (!rules.shows_id_tokens && holds_any(normal, kIdTokenNames.data(), kIdTokenNames.size())) {
    return withheld("it is no JSON, and may hold an idTag");
  }
  // A letter may be written as \u0070.
  if (!binary && payload.find("\\u") != std::string_view::npos) return withheld("it is no JSON, and has escapes");
  Redacted redacted{std::string(payload)};
  if (!binary) redacted.changed = hide_in_urls(redacted.text);
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
  for (const char* secret : {"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "Authentication-Info",
                             "Proxy-Authentication-Info"}) {
    if (equals_ignoring_case(name, secret)) return true;
  }
  const std::string normal = normalized(name);
  return holds_secret_word(normal) || normal.find("token") != std::string::npos;
}

std::string redact_header(std::string_view line, bool is_secret, const OwnSecrets& own) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string value(colon == std::string_view::npos ? std::string_view() : trimmed(line.substr(colon + 1)));
  const bool holds_ours = own.find_in(line) != OwnSecrets::Found::nothing;
  if (holds_ours || is_secret || is_secret_header(trimmed(name))) {
    // Where there is no colon nobody knows which part is the value.
    if (colon == std::string_view::npos || own.find_in(name) != OwnSecrets::Found::nothing) return kHidden;
    return std::string(name) + ": " + kHidden;
  }
  if (colon == std::string_view::npos) return std::string(line);
  if (equals_ignoring_case(trimmed(name), "Location")) {
    // It may be relative.
    hide_in_urls(value);
    return std::string(name) + ": " + redact_query(value);
  }
  hide_in_urls(value);
  return std::string(name) + ": " + value;
}

std::string redact_query(std::string_view path) {
  const std::size_t query = path.find('?');
  if (query == std::string_view::npos || query + 1 == path.size()) return std::string(path);
  return std::string(path.substr(0, query + 1)) + kHidden;
}

}  // namespace cwire
