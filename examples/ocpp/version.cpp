#include "ocpp/version.h"

namespace ocpp {

std::optional<Version> version_of(std::string_view subprotocol) {
  if (subprotocol == "ocpp1.6") return Version::v1_6;
  if (subprotocol == "ocpp2.0.1") return Version::v2_0_1;
  if (subprotocol == "ocpp2.1") return Version::v2_1;
  return std::nullopt;
}

}  // namespace ocpp
