// make_reports DIRECTORY: writes the report of each record of records.h there, as NAME.html and NAME.json.
#include <report_html.h>
#include <report_json.h>

#include <cstdio>
#include <fstream>

#include "records.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return 2;
  }
  for (const auto& [name, record] : records()) {
    const std::string path = argv[1] + ("/" + name);
    std::ofstream html(path + ".html", std::ios::binary), json(path + ".json", std::ios::binary);
    fleet::write_html(record, html);
    fleet::write_json(record, json);
    if (!html.flush() || !json.flush()) {
      std::fprintf(stderr, "%s cannot be written\n", path.c_str());
      return 1;
    }
  }
}
