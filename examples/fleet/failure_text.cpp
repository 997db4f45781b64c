#include "failure_text.h"

#include <algorithm>
#include <cctype>

namespace fleet {
namespace {

bool begins_with(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

void cut_from(std::string_view& text, std::string_view word) {
  if (const std::size_t at = text.rfind(word); at != std::string_view::npos) text = text.substr(0, at);
}

}  // namespace

std::string cause_of(std::string_view message, std::string_view id) {
  if (begins_with(message, id) && begins_with(message.substr(id.size()), ": ")) message.remove_prefix(id.size() + 2);
  cut_from(message, "; next attempt in ");
  if (message.size() > 9 && message.substr(message.size() - 9) == "; gave up") message.remove_suffix(9);
  if (!message.empty() && message.back() == ')') cut_from(message, " (ws");
  return std::string(message);
}

std::string brief(std::string_view cause) {
  cause = cause.substr(0, cause.find("; "));
  // The first digit of a status follows; what it answered comes before its text.
  if (const std::size_t http = cause.find("HTTP "); http != std::string_view::npos && http + 5 < cause.size() &&
                                                    std::isdigit(static_cast<unsigned char>(cause[http + 5])) != 0) {
    return std::string(cause.substr(http));
  }
  for (const std::string_view doing : {"dial tcp ", "read tcp ", "write tcp ", "lookup "}) {
    const std::size_t colon = cause.find(": ");
    if (!begins_with(cause, doing) || colon == std::string_view::npos) continue;
    return std::string(cause.substr(colon + 2)).append(" (").append(cause.substr(0, colon)).append(")");
  }
  return std::string(cause);
}

}  // namespace fleet
