#include "net/errno_text.h"

#include <cctype>
#include <cerrno>
#include <system_error>

namespace cwire {

std::string errno_text(int error) {
  // One wording on every C library for what users meet daily.
  switch (error) {
    case ECONNREFUSED:
      return "connection refused";
    case ECONNRESET:
      return "connection reset by peer";
    case ECONNABORTED:
      return "connection aborted";
    case EPIPE:
      return "broken pipe";
    case ETIMEDOUT:
      return "timed out";
    case EHOSTUNREACH:
      return "no route to host";
    case ENETUNREACH:
      return "network is unreachable";
    case ENETDOWN:
      return "network is down";
    case EMFILE:
      return "this process has no file descriptors left";
    case ENFILE:
      return "this system has no file descriptors left";
    case ENOBUFS:
    case ENOMEM:
      return "the kernel has no memory for another socket";
    case EADDRNOTAVAIL:
      return "no local address or port left to dial from";
    case EACCES:
    case EPERM:
      return "not permitted";
    case EAFNOSUPPORT:
      return "address family not supported";
    default: {
      std::string text = std::generic_category().message(error);
      if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
      return text;
    }
  }
}

std::string errno_advice(int error, const char* peer) {
  switch (error) {
    case ECONNREFUSED:
      return std::string("check that ") + peer + " is running and listens on this port";
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
      return std::string("check the network, the route and the firewalls between here and ") + peer;
    case EMFILE:
      return "raise ulimit -n, or connect fewer stations from one process";
    case ENFILE:
      return "raise fs.file-max";
    case ENOBUFS:
    case ENOMEM:
      return "connect fewer stations at once, or raise the memory limits";
    case EADDRNOTAVAIL:
      return "widen net.ipv4.ip_local_port_range, or spread the stations over more addresses";
    case EACCES:
    case EPERM:
      return "a firewall or sandbox of this machine forbids it";
    case EAFNOSUPPORT:
      return "this machine lacks that version of IP";
    default:
      return "";
  }
}

bool is_local_failure(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

}  // namespace cwire
