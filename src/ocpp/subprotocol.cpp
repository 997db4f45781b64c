#include "ocpp/subprotocol.h"

namespace cwire {

std::string_view subprotocol_of(std::string_view ocpp_version) {
  if (ocpp_version == "1.6") return "ocpp1.6";
  if (ocpp_version == "2.0.1") return "ocpp2.0.1";
  if (ocpp_version == "2.1") return "ocpp2.1";
  return {};
}

}  // namespace cwire
