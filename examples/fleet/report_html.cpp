#include "report_html.h"

#include <cstdint>
#include <cstdio>
#include <random>
#include <sstream>
#include <string>
#include <string_view>

#include "report_assets.h"
#include "report_json.h"

namespace fleet {

namespace {

// A script runs only if it bears this number, which nobody knew when an error or a station's id was written.
std::string nonce() {
  std::random_device random;
  std::string text;
  for (int i = 0; i < 4; ++i) {
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08x", static_cast<unsigned>(random()));
    text += digits;
  }
  return text;
}

// JSON for an element <script>: what could end it, or begin a comment in it, stands escaped in its strings.
std::string embedded_json(const RunRecord& record) {
  std::ostringstream json;
  write_json(record, json);
  std::string escaped;
  for (const char c : json.str()) {
    if (c == '<') {
      escaped += "\\u003c";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace

void write_html(const RunRecord& record, std::ostream& out) {
  const std::string number = nonce();
  const std::string run = embedded_json(record);
  const std::pair<std::string_view, std::string_view> fillings[] = {{"@NONCE@", number},
                                                                    {"@RUN@", run},
                                                                    {"@STYLE@", assets::style},
                                                                    {"@PLOTTING_LIBRARY@", assets::plotting_library},
                                                                    {"@SCRIPT@", assets::script}};
  std::string_view page = assets::page;
  while (!page.empty()) {
    const std::size_t place = page.find('@');
    out << page.substr(0, place);
    if (place == std::string_view::npos) break;
    page.remove_prefix(place);
    std::string_view written = page.substr(0, 1), meant = written;
    for (const auto& [name, filling] : fillings) {
      if (page.substr(0, name.size()) == name) written = name, meant = filling;
    }
    out << meant;
    page.remove_prefix(written.size());
  }
}

}  // namespace fleet
