#include "advice.h"

namespace fleet {

std::string_view advice(chargewire::Status status, chargewire::Phase phase) {
  using chargewire::Phase;
  using chargewire::Status;
  if (phase == Phase::proxy)
    return "Check the proxy that the line names, its credentials, and whether it allows CONNECT to the CSMS.";
  switch (status) {
    case Status::dial:
      if (phase == Phase::resolve) return "Check the host name in the URL, then the name server of this machine.";
      return "Check that the CSMS listens on this port, then the firewalls in between. Of many stations at once: the "
             "limits of this "
             "machine (descriptors, local ports) and of the CSMS (its backlog).";
    case Status::tls:
      return "Do what the line says: it names the certificate and why it was not accepted. Check csms.tls.ca_cert and "
             "the clock of "
             "this machine.";
    case Status::handshake:
      return "Check the path of the URL and the station's id (404); a 429, a 5xx or no answer in time means that the "
             "CSMS, or a proxy in front "
             "of it, is overloaded: start more slowly.";
    case Status::subprotocol:
      return "Offer an OCPP version that the CSMS speaks.";
    case Status::auth:
      return "Check user, password and its format, and that the CSMS knows and has enabled these stations.";
    case Status::ping_timeout:
      return "The CSMS hangs or is overloaded, or something in between forgets idle connections: lower "
             "csms.ping_interval below its "
             "idle timeout.";
    case Status::read:
      return "The CSMS or something in between dropped the connection: look into their logs at that time. A restart "
             "looks like this.";
    case Status::write:
      return "The CSMS does not read, or the line is slower than what is sent.";
    case Status::closed:
      return "The CSMS closed the connection in order: its code and reason are in the line, and its log says more.";
    case Status::protocol:
      return "Report it to the maker of the CSMS or of the proxy: it broke RFC 6455.";
    case Status::too_big:
      return "Raise csms.message_size_max, or have the CSMS send smaller messages.";
    case Status::config:
      return "Check csms.source_address: this machine must have that address.";
    case Status::no_memory:
    case Status::internal:
      return "This machine is short of memory, descriptors or threads: raise its limits, or give it fewer stations.";
    default:
      return "See docs/errors.md.";
  }
}

}  // namespace fleet
