#include "config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <deque>
#include <map>
#include <sstream>

#include "base/failure.h"
#include "config/options.h"
#include "config/values.h"
#include "ocpp/utf8.h"

namespace cwire {
namespace {

// csms.headers.X is four deep, and a station's fields are as well. Beyond this a file can only be an attack on the
// stack.
constexpr std::size_t kDepthMax = 16;
constexpr std::size_t kNodesMax = 2'000'000;
// yaml-cpp holds the tokens of a line, some 200 bytes each, until the line ends. 20,000 stations need a fifth of this.
constexpr std::size_t kPunctuationMax = 2'000'000;
constexpr std::size_t kListMax = 16;

struct Node {
  enum class Kind { null, scalar, sequence, mapping };
  Kind kind = Kind::null;
  int line = 0;
  std::string text;
  std::vector<const Node*> children;  // of a mapping: key, value, key, value
};

const char* kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return "a plain value";
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::mapping:
      break;
  }
  return "a mapping";
}

[[noreturn]] void refuse(const std::string& source, int line, const std::string& why) {
  throw Error(CWIRE_E_CONFIG, place(source, line) + why);
}

// Builds the tree from yaml-cpp's events rather than taking yaml-cpp's own, to bound its depth while it grows and to
// keep an alias a pointer: no alias is ever multiplied out.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const std::string& source) : source_(source) {}

  const Node* root() const { return root_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (root_ != nullptr) refuse(source_, mark.line + 1, "a second YAML document begins here; put all into one");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { leaf(Node::Kind::null, mark, anchor, {}); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) refuse(source_, mark.line + 1, "an alias stands inside of what it names");
    attach(found->second);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    leaf(Node::Kind::scalar, mark, anchor, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(Node::Kind::sequence, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(Node::Kind::mapping, mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node* node;
    YAML::anchor_t anchor;
  };

  // "?" is an untagged plain value, "!" a quoted one.
  void check_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!" || tag.rfind("tag:yaml.org,2002:", 0) == 0) return;
    refuse(source_, mark.line + 1, "a YAML tag means nothing here; put a value that begins with '!' in quotes");
  }

  Node* add(Node::Kind kind, const YAML::Mark& mark) {
    if (nodes_.size() >= kNodesMax) refuse(source_, mark.line + 1, "the file holds more than 2,000,000 values");
    nodes_.emplace_back();
    nodes_.back().kind = kind;
    nodes_.back().line = mark.line + 1;
    return &nodes_.back();
  }

  void attach(const Node* node) {
    if (open_.empty()) {
      root_ = node;
    } else {
      open_.back().node->children.push_back(node);
    }
  }

  void leaf(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& text) {
    Node* node = add(kind, mark);
    node->text = text;
    if (anchor != 0) anchors_[anchor] = node;
    attach(node);
  }

  void open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() >= kDepthMax) refuse(source_, mark.line + 1, "nested too deep; no option stands as deep as this");
    Node* node = add(kind, mark);
    attach(node);
    open_.push_back({node, anchor});
  }

  // An anchor holds only once its node is complete, so that no node can contain itself.
  void close() {
    if (open_.back().anchor != 0) anchors_[open_.back().anchor] = open_.back().node;
    open_.pop_back();
  }

  const std::string& source_;
  std::deque<Node> nodes_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, const Node*> anchors_;
  const Node* root_ = nullptr;
};

// Turns one mapping of the tree into options.
class OptionReader {
 public:
  // Keys of the tree stand for `prefix` + key in the table; messages show `shown_prefix` + key.
  OptionReader(const std::string& source, std::string prefix, std::string shown_prefix, std::vector<YamlValue>& out)
      : source_(source), prefix_(std::move(prefix)), shown_prefix_(std::move(shown_prefix)), out_(out) {}

  std::string shown(const std::string& key) const { return shown_prefix_ + key; }

  // The text of a key, once in each mapping.
  const std::string& key_of(const Node& node, const std::string& path) {
    if (node.kind != Node::Kind::scalar) refuse(source_, node.line, "a key must be a plain word");
    std::string full = path + node.text;
    const auto first = lines_.emplace(canonical(full), node.line);
    if (!first.second) {
      refuse(source_, node.line,
             shown_key(full) + ": given twice, first in line " + std::to_string(first.first->second) + "; remove one");
    }
    return node.text;
  }

  // path: "" or "tls."
  void read_mapping(const Node& mapping, const std::string& path) {
    for (std::size_t i = 0; i + 1 < mapping.children.size(); i += 2) {
      const Node& key = *mapping.children[i];
      read_pair(key, path + key_of(key, path), *mapping.children[i + 1]);
    }
  }

  void read_pair(const Node& key, const std::string& path, const Node& value) {
    const std::string full = prefix_ + path;
    if (is_section(full) && find_option(full).option == nullptr) {
      read_section(key, path, value);
      return;
    }
    const OptionKey found = find_option(full);
    if (found.option == nullptr) refuse_unknown(key, path);
    if (found.option->type == OptionType::map && found.entry.empty()) {
      read_section(key, path, value);
    } else {
      out_.push_back({full, shown_key(path), text_of(key, path, *found.option, value), key.line});
    }
  }

 private:
  void read_section(const Node& key, const std::string& path, const Node& value) {
    if (value.kind == Node::Kind::null) return;  // all of its lines are commented out
    if (value.kind != Node::Kind::mapping) {
      refuse(source_, key.line, shown(path) + ": expected a mapping of options, got " + kind_name(value.kind));
    }
    read_mapping(value, path + ".");
  }

  std::string text_of(const Node& key, const std::string& path, const Option& option, const Node& value) const {
    if (value.kind == Node::Kind::scalar) return value.text;
    if (value.kind == Node::Kind::null) {
      refuse(source_, key.line, shown_key(path) + ": it has no value; write \"\" for an empty one, or remove the line");
    }
    if (value.kind == Node::Kind::mapping || option.type != OptionType::list) {
      const char* expected = option.type == OptionType::list ? "a value or a list" : "one value";
      refuse(source_, key.line, shown_key(path) + ": expected " + expected + ", got " + kind_name(value.kind));
    }
    if (value.children.size() > kListMax) refuse(source_, key.line, shown_key(path) + ": the list is too long");
    std::string text;
    for (const Node* item : value.children) {
      if (item->kind != Node::Kind::scalar) {
        refuse(source_, item->line, shown_key(path) + ": expected a list of plain values");
      }
      text += (text.empty() ? "" : ", ") + item->text;
    }
    return text;
  }

  [[noreturn]] void refuse_unknown(const Node& key, const std::string& path) const {
    std::string why = shown_key(path) + ": unknown option";
    const OptionKey managers = find_option(path);
    const std::string near = nearest_key(prefix_ + path);
    if (!prefix_.empty() && managers.option != nullptr && !managers.option->of_station()) {
      why += "; it is one of the whole manager and stands at the top level";
    } else if (!near.empty()) {
      // A station's keys are written without their prefix.
      const bool under_prefix = near.rfind(prefix_, 0) == 0;
      why += "; did you mean " + (under_prefix ? near.substr(prefix_.size()) : near) + "?";
    } else {
      why += "; docs/configuration.md lists them all";
    }
    refuse(source_, key.line, why);
  }

  // A key that is not ours may be anything, so it is shown with care.
  std::string shown_key(const std::string& path) const {
    const std::string safe = quoted(path);
    const bool as_is = safe.size() == path.size() + 2 && safe.substr(1, path.size()) == path;
    return as_is ? shown(path) : shown_prefix_ + safe;
  }

  // Header names do not tell cases apart (RFC 7230 3.2).
  std::string canonical(const std::string& path) const {
    std::string out = prefix_ + path;
    const OptionKey found = find_option(out);
    if (found.option == nullptr || found.option->type != OptionType::map) return out;
    for (char& c : out) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
  }

  const std::string& source_;
  const std::string prefix_;
  const std::string shown_prefix_;
  std::vector<YamlValue>& out_;
  std::map<std::string, int> lines_;
};

YamlStation read_station(const Node& node, const std::string& source, const std::string& label) {
  if (node.kind != Node::Kind::mapping) {
    refuse(source, node.line, label + ": expected a mapping such as { id: CP001 }, got " + kind_name(node.kind));
  }
  YamlStation station;
  station.line = node.line;
  OptionReader reader(source, "csms.", label + ".", station.options);
  for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
    const Node& key = *node.children[i];
    const Node& value = *node.children[i + 1];
    const std::string& name = reader.key_of(key, "");
    if (name == "id" || name == "url") {
      if (value.kind != Node::Kind::scalar) {
        refuse(source, key.line, reader.shown(name) + ": expected text, got " + kind_name(value.kind));
      }
      (name == "id" ? station.id : station.url) = {name, reader.shown(name), value.text, key.line};
    } else {
      reader.read_pair(key, name, value);
    }
  }
  if (station.id.label.empty()) refuse(source, node.line, label + ": it has no id; add one, such as id: CP001");
  return station;
}

void read_stations(const Node& key, const Node& value, const std::string& source, YamlFile& file) {
  file.has_stations = true;
  if (value.kind == Node::Kind::null) return;
  if (value.kind != Node::Kind::sequence) {
    refuse(source, key.line, std::string("stations: expected a list of stations, got ") + kind_name(value.kind));
  }
  for (std::size_t i = 0; i < value.children.size(); ++i) {
    file.stations.push_back(read_station(*value.children[i], source, "stations[" + std::to_string(i) + "]"));
  }
}

// yaml-cpp takes any bytes and replaces what it cannot read. A password must not change that way.
void check_characters(std::string_view text, const std::string& source) {
  int line = 1;
  std::size_t punctuation = 0;
  for (std::size_t at = 0; at < text.size();) {
    char32_t character = 0;
    const bool counts = std::string_view("[]{},:\"'?*&!").find(text[at]) != std::string_view::npos;
    if (counts && ++punctuation > kPunctuationMax) refuse(source, line, "the file holds more than a fleet could need");
    if (!next_utf8(text, at, character)) refuse(source, line, "not valid UTF-8; save the file as UTF-8");
    if (character == '\n') ++line;
    const bool space = character == '\n' || character == '\r' || character == '\t';
    if ((character < 0x20 && !space) || character == 0x7f)
      refuse(source, line, "it holds a control character; remove it");
  }
}

YamlFile read_tree(const Node& root, const std::string& source) {
  YamlFile file;
  if (root.kind == Node::Kind::null) return file;
  if (root.kind != Node::Kind::mapping) {
    refuse(source, root.line, std::string("expected a mapping with csms: and stations:, got ") + kind_name(root.kind));
  }
  OptionReader reader(source, "", "", file.options);
  for (std::size_t i = 0; i + 1 < root.children.size(); i += 2) {
    const Node& key = *root.children[i];
    const Node& value = *root.children[i + 1];
    const std::string& name = reader.key_of(key, "");
    if (name == "stations") {
      read_stations(key, value, source, file);
    } else {
      reader.read_pair(key, name, value);
    }
  }
  return file;
}

}  // namespace

std::string place(const std::string& source, int line) {
  constexpr std::size_t kShownMax = 80;  // the message has 240 bytes; the end of a path tells most
  std::size_t from = source.size() <= kShownMax ? 0 : source.size() - kShownMax;
  while (from < source.size() && (static_cast<unsigned char>(source[from]) & 0xc0) == 0x80) ++from;  // whole characters
  const std::string shown = from == 0 ? source : "..." + source.substr(from);
  return shown + ":" + std::to_string(line) + ": ";
}

YamlFile read_yaml(std::string_view text, const std::string& source) {
  if (text.size() > kYamlSizeMax) refuse(source, 1, "the YAML is larger than 16 MiB");
  check_characters(text, source);
  TreeBuilder tree(source);
  try {
    // yaml-cpp 0.7 notices that a quote is never closed only if the file does not end in a line break, so a comment
    // comes last.
    std::istringstream stream{std::string(text) + "\n#"};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(tree)) {
    }
  } catch (const YAML::Exception& error) {
    const int line = error.mark.is_null() ? 1 : error.mark.line + 1;
    if (error.msg == YAML::ErrorMsg::EOF_IN_SCALAR) refuse(source, line, "the file ends inside of a quote; close it");
    // Some of yaml-cpp's messages end in ": " and a piece of the file, which could be one of a secret.
    const std::string what = error.msg.substr(0, error.msg.find(": "));
    refuse(source, line, "not valid YAML: " + what + "; put values with special characters in quotes");
  }
  if (tree.root() == nullptr) return {};
  return read_tree(*tree.root(), source);
}

}  // namespace cwire
