#include "command_line.h"

#include <charconv>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string_view>

namespace csms {

const char usage[] = R"(chargewire-csms: a small OCPP-J server for examples and tests

  --address IP          listen here (default 127.0.0.1)
  --port N              and on this port; 0: any (default 0)
  --port-file PATH      write the port there once listening
  --station ID          let in this station; may be repeated (default: all)
  --station-prefix TEXT let in stations whose identity begins so
  --subprotocols LIST   comma-separated (default ocpp2.1,ocpp2.0.1,ocpp1.6)
  --password TEXT       Basic auth password of all stations
  --password-hex HEX    the same as an OCPP 1.6 AuthorizationKey: its raw bytes
  --passwords FILE      lines of ID:PASSWORD
  --bearer TOKEN        Bearer token of all stations
  --cert PEM --key PEM  speak wss
  --client-ca PEM       demand a client certificate of this CA
  --interval SECONDS    heartbeat interval told to stations (default 300)
  --deflate             agree to permessage-deflate, and compress messages of 128 bytes and more
  --echo                return each message as it came
  --stdin               take commands, one per line; end with end of file
  --help

Commands: die | die fin | refuse STATUS [RETRY_AFTER] | refuse tcp | silent | back | close CODE REASON
          send ID TEXT | ping | stats | quit
Signals:  USR1 die, USR2 back, TERM and INT quit
Whoever is connected at the end is told 1001.
)";

namespace {

int number(const std::string& option, const std::string& text, int minimum, int maximum) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < minimum || value > maximum) {
    throw std::runtime_error(option + " " + text + ": expected a number from " + std::to_string(minimum) + " to " +
                             std::to_string(maximum));
  }
  return value;
}

std::string bytes_of_hex(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    const char* const end = text.data() + i + 2;
    if (text.size() - i < 2 || std::from_chars(text.data() + i, end, value, 16).ptr != end) {
      throw std::runtime_error("--password-hex: expected pairs of hex digits");
    }
    bytes.push_back(static_cast<char>(value));
  }
  return bytes;
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t comma = text.find(',', begin);
    parts.push_back(text.substr(begin, comma - begin));
    if (comma == std::string::npos) return parts;
    begin = comma + 1;
  }
}

std::map<std::string, std::string> read_passwords(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("--passwords " + path + ": the file cannot be read");
  std::map<std::string, std::string> passwords;
  for (std::string line; std::getline(file, line);) {
    if (line.empty()) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) throw std::runtime_error("--passwords " + path + ": expected lines of ID:PASSWORD");
    passwords[line.substr(0, colon)] = line.substr(colon + 1);
  }
  return passwords;
}

}  // namespace

CommandLine parse_command_line(int argc, char** argv) {
  CommandLine result;
  Options& options = result.options;
  std::set<std::string> stations;
  std::vector<std::string> prefixes;

  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const auto value = [&]() -> std::string {
      if (++i == argc) throw std::runtime_error(option + ": a value is missing");
      return argv[i];
    };
    if (option == "--address") {
      options.address = value();
    } else if (option == "--port") {
      options.port = static_cast<std::uint16_t>(number(option, value(), 0, 65535));
    } else if (option == "--port-file") {
      result.port_file = value();
    } else if (option == "--station") {
      stations.insert(value());
    } else if (option == "--station-prefix") {
      prefixes.push_back(value());
    } else if (option == "--subprotocols") {
      options.subprotocols = split_at_commas(value());
    } else if (option == "--password") {
      options.password = value();
    } else if (option == "--password-hex") {
      options.password = bytes_of_hex(value());
    } else if (option == "--passwords") {
      options.passwords = read_passwords(value());
    } else if (option == "--bearer") {
      options.bearer_token = value();
    } else if (option == "--cert") {
      options.certificate_file = value();
    } else if (option == "--key") {
      options.key_file = value();
    } else if (option == "--client-ca") {
      options.client_ca_file = value();
    } else if (option == "--interval") {
      options.heartbeat_interval_seconds = number(option, value(), 0, 86400);
    } else if (option == "--deflate") {
      options.deflate = true;
    } else if (option == "--echo") {
      options.echo = true;
    } else if (option == "--stdin") {
      result.commands_from_stdin = true;
    } else if (option == "--help") {
      result.help = true;
    } else {
      throw std::runtime_error("unknown option " + option + ": see --help");
    }
  }
  if (options.certificate_file.empty() != options.key_file.empty()) {
    throw std::runtime_error("--cert and --key belong together: give both or none");
  }
  if (!options.client_ca_file.empty() && options.certificate_file.empty()) {
    throw std::runtime_error("--client-ca needs --cert and --key");
  }
  if (!stations.empty() || !prefixes.empty()) {
    options.knows = [stations, prefixes](const std::string& identity) {
      if (stations.count(identity) != 0) return true;
      for (const std::string& prefix : prefixes) {
        if (identity.compare(0, prefix.size(), prefix) == 0) return true;
      }
      return false;
    };
  }
  return result;
}

}  // namespace csms
