// Prints docs/configuration.md, or with --schema the schema of cwire_config_schema(). Made from the option table.

#include <cstdio>
#include <cstring>
#include <string>

#include "config/config.h"
#include "config/options.h"

namespace {

using cwire::Option;
using cwire::OptionType;

const char kIntroduction[] = R"(# Configuration

<!-- Made by docs/generate_configuration.cpp from the option table in src/config/options.cpp. Change those, not this page. -->

A configuration is a set of options. It comes from a YAML file (`cwire_config_load_file`), from YAML text
(`cwire_config_load_yaml`), or option by option (`cwire_config_set`); what comes later replaces what came before.
`cwire_config_get` gives the value of an option back as text, and `cwire_config_schema()` describes them all as JSON.

```yaml
csms:
  default_url: "ws://localhost:9000"
  connection_timeout: 30s
  heartbeat_interval: 60s
  max_reconnect_attempts: 5      # 0 = for ever (the default)
  reconnect_backoff: 10s
  reconnect_max_backoff: 60s
  tls: { enabled: false, ca_cert: "", client_cert: "", client_key: "", insecure_skip_verify: false }
stations:                        # optional: what connect_all connects
  - { id: CP001, protocol: "1.6", security_profile: 1, auth: { type: basic, username: CP001, password_file: cp001.key } }
```

## Keys

The path of an option in the YAML tree, with dots between, is its key: `enabled` under `tls:` under `csms:` is
`csms.tls.enabled`, for `cwire_config_set` and in the tables below. YAML may write the dotted key too.

A file is taken whole or not at all. An unknown key, a key given twice, a value of the wrong type or out of its range is
an error that names the file, the line, the key, and what was expected:

```
fleet.yaml:7: csms.ping_interval: expected a duration from 0s to 24h, such as 30s or 1m30s, got "30"
```

## Values

| type | how it is written |
|---|---|
| bool | `true` or `false` |
| integer | decimal digits |
| duration | digits and a unit, `ms`, `s`, `m` or `h`; also combined, the larger first: `1m30s`. A bare `0` is allowed, any other number needs its unit |
| size | digits and a unit: `B`, `KiB`, `MiB`, `GiB` (powers of 1024), `KB`, `MB`, `GB` (powers of 1000). Without a unit: bytes |
| percent | `20%` or `0.2` |
| enum | one of the words listed |
| list | one value, or several: a YAML list, or in one text with commas between |
| map | a YAML mapping. With `cwire_config_set`, each entry has a key of its own |
| host | a host name, an IPv4 address, or an IPv6 address without brackets |
| address | an IPv4 address, or an IPv6 address without brackets and zone |
| listen | a port, or an address and a port: `9464`, `192.0.2.10:9464`, `[::1]:9464` |
| proxy | `http://host:port`, or `none` |
| text, url | text without CR, LF and NUL, in UTF-8 |
| path | the same, naming a file |
| pem | the text of a PEM file with its line breaks, at most 1 MiB; in YAML a block that begins with `\|` |
| secret, secret pem | as text or pem; `cwire_config_get` answers `***`, and no message or log ever shows it |

**Environment.** In YAML, `${NAME}` inside of a value is replaced by the environment variable `NAME`, which must be set.
`$${` stands for the two characters `${`. Between the braces of a YAML `{ ... }` such a value needs quotes:
`auth: { type: bearer, token: "${CSMS_TOKEN}" }`. `cwire_config_set` replaces nothing.

**Paths.** In a file, a relative path is meant beside that file. In YAML text and with `cwire_config_set`, it is relative
to the working directory of the process.

**Secrets.** Keep them out of the YAML: in a file of their own (`password_file`, `token_file`, at most 16 KiB), which is
read each time a station is connected, or in an environment variable. In YAML, put a password in quotes: `*`, `&`, `!`,
`#` and `: ` mean something there.

**YAML.** One document of at most 16 MiB, in UTF-8. Anchors and aliases work; tags and merge keys (`<<`) do not.

## Stations

`stations:` lists what `cwire_manager_connect_all` connects. Each entry has an `id`, at most 48 characters without `:`,
each id once. It may have a `url`, and any option of `csms` without that prefix, which then differs for this station:

```yaml
csms:
  default_url: wss://csms.example.com/ocpp
  auth: { type: basic, password_file: fleet.key }
stations:
  - id: CP001
  - id: CP002
    url: wss://other.example.com/ocpp
    protocol: [2.0.1, 1.6]
    ping_interval: 1m
    auth: { password_file: cp002.key }
```

The configuration given to `cwire_manager_connect` differs in the same way: the `csms` options that were set in it go
before the manager's, the others do not count. If it names another `auth.type`, none of the fleet's credentials remain; if
it has a password of its own, that takes the place of the fleet's `password_file`, and the other way round. Options outside
of `csms` belong to the whole manager.

A second file with `stations:` replaces the list of the first.

## Headers

Each extra header of the upgrade request is a key of its own:

```yaml
csms:
  headers:
    X-Site: Rotterdam
    X-Api-Key: ${SITE_KEY}
```

With `cwire_config_set` that is `csms.headers.X-Site` with the value `Rotterdam`; or several at once, `csms.headers` with one
`Name: value` a line. Case does not matter in names. A header replaces one of the same name and leaves the others; an
empty value takes it away, so a station can drop a header of the fleet. Since headers often carry keys, their values count
as secrets.

At most 64, each at most 4096 bytes, by the grammar of RFC 7230. `Host`, `Upgrade`, `Connection`, `Sec-WebSocket-*`,
`Content-Length`, `Transfer-Encoding`, `Trailer` and `Expect` are refused: the upgrade writes them, or would break by them. So is
`Proxy-Authorization`, which the CSMS must not get.
`Authorization` is refused where `csms.auth.type` is not `none`.

## A proxy

Stations reach their CSMS through an HTTP proxy by a tunnel (CONNECT), `ws://` like `wss://`. It looks up the name of the CSMS, so this
machine need not know it. TLS is between the station and the CSMS; what goes through a `ws://` tunnel the proxy can read.

```yaml
csms:
  proxy: { url: "http://proxy.example:3128", username: fleet, password_file: proxy.key }
```

Without `csms.proxy.url` the environment decides, much as it does for curl, and `cwire_manager_new` reads it once: `https_proxy` for `wss://`,
`http_proxy` for `ws://`, unless `no_proxy` covers the host. `HTTPS_PROXY` and `NO_PROXY` count where those in small letters are not set or
empty, `HTTP_PROXY` and `all_proxy` never. A password stands in the variable itself, percent-encoded: `http://user:password@proxy.example:3128`. The port is
needed. `csms.proxy.url: none` leaves the environment aside; a URL does so too, `no_proxy` included. `localhost` and the addresses of
this machine (`127.0.0.0/8`, `::1`) are never reached by way of the environment's proxy.

`no_proxy` is a list with commas or spaces between:

| entry | covers |
|---|---|
| `example.com`, `.example.com`, `*.example.com` | that host and all below it |
| `192.0.2.1`, `2001:db8::1` | a URL with that address; names are not looked up |
| `10.0.0.0/8`, `fd00::/8` | a URL with an address of that network |
| `example.com:8080`, `[2001:db8::1]:8080` | the same, where the URL has that port |
| `*` | everything |

A station that names another `proxy.url` has none of the fleet's credentials for it.

## Options

*Live* marks options whose new value acts on an open connection, at once, when `cwire_station_reconfigure` gives it to a station; that of
the others acts from the next connection on. A configuration is copied by whoever takes it: changing it later reaches no manager and no
station that has it already.
)";

// A cell must not end at a '|' of its own.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' ? "\\|" : std::string(1, c);
  return out;
}

std::string code(const std::string& text) { return text.empty() ? "" : "`" + text + "`"; }

std::string range(const Option& option) {
  if (*option.minimum != '\0') return code(option.minimum) + " to " + code(option.maximum);
  std::string out;
  for (const char* c = option.choices; *c != '\0'; ++c) out += *c == '|' ? "`, `" : std::string(1, *c);
  return code(out);
}

void print_options() {
  std::string group;
  for (const Option& option : cwire::options()) {
    if (group != option.group) {
      group = option.group;
      std::printf("\n### %s\n\n| key | type | default | range | live | |\n|---|---|---|---|---|---|\n", option.group);
    }
    std::printf("| `%s` | %s | %s | %s | %s | %s |\n", option.key, cwire::type_name(option.type),
                code(option.default_text).c_str(), range(option).c_str(), option.reloadable ? "yes" : "",
                cell(option.description).c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--schema") == 0) {
    std::fputs(cwire::Config::schema(), stdout);
  } else if (argc == 1) {
    std::fputs(kIntroduction, stdout);
    print_options();
  } else {
    std::fprintf(stderr, "usage: %s [--schema]\n", argv[0]);
    return 2;
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}
