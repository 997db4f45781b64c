// Stand-ins for the system calls of the library, each failing as that call does. Threads have a file of their own.
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdint>

#include "calls.h"

namespace {

using failures::Call;

// The function of that name that ours stands in front of.
template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

#define ERROR(name) \
  { #name, name }

Call of_socket("sockets", "socket", {ERROR(EMFILE), ERROR(ENOBUFS)});
Call of_connect("sockets", "connect",
                {ERROR(ECONNREFUSED), ERROR(ENETUNREACH), ERROR(EADDRNOTAVAIL), ERROR(EACCES), ERROR(EINTR)});
Call of_setsockopt("sockets", "setsockopt", {ERROR(ENOBUFS)});
Call of_getsockopt("sockets", "getsockopt", {ERROR(ENOBUFS)});
Call of_getsockname("sockets", "getsockname", {ERROR(ENOBUFS)});
Call of_bind("sockets", "bind", {ERROR(ENOBUFS)});
Call of_listen("sockets", "listen", {ERROR(ENOBUFS)});
Call of_accept4("sockets", "accept4",
                {ERROR(EMFILE), ERROR(EINTR), ERROR(ECONNABORTED), ERROR(EAGAIN), ERROR(ENOBUFS)});
Call of_send("sockets", "send", {ERROR(EAGAIN), ERROR(EINTR), ERROR(ECONNRESET), ERROR(EPIPE), ERROR(ENOBUFS)});
Call of_recv("sockets", "recv", {ERROR(EAGAIN), ERROR(EINTR), ERROR(ECONNRESET), ERROR(ETIMEDOUT), ERROR(ENOMEM)});
Call of_shutdown("sockets", "shutdown", {ERROR(ENOTCONN)});
Call of_epoll_create1("readiness", "epoll_create1", {ERROR(EMFILE), ERROR(ENOMEM)});
Call of_epoll_ctl("readiness", "epoll_ctl", {ERROR(ENOMEM), ERROR(ENOSPC)});
Call of_epoll_wait("readiness", "epoll_wait", {ERROR(EINTR)});
Call of_eventfd("readiness", "eventfd", {ERROR(EMFILE), ERROR(ENOMEM)});
Call of_write("readiness", "write", {ERROR(EINTR)});  // to an eventfd
Call of_read("readiness", "read", {ERROR(EINTR)});
Call of_open("files", "open", {ERROR(EMFILE), ERROR(ENFILE)});
Call of_write_to_file("files", "write_to_file", {ERROR(EINTR), ERROR(ENOSPC), ERROR(EIO)});
Call of_getaddrinfo("threads", "getaddrinfo", {ERROR(EAI_AGAIN), ERROR(EAI_FAIL), ERROR(EAI_MEMORY)});

#undef ERROR

}  // namespace

extern "C" {

int socket(int domain, int type, int protocol) noexcept {
  static const auto real = next<int(int, int, int)>("socket");
  return of_socket.failure() != 0 ? -1 : real(domain, type, protocol);
}

int connect(int socket, const sockaddr* address, socklen_t size) {
  static const auto real = next<int(int, const sockaddr*, socklen_t)>("connect");
  const int error = of_connect.failure();
  if (error == 0) return real(socket, address, size);
  if (error == EINTR) {  // goes on all the same
    const int result = real(socket, address, size);
    if (result == 0 || errno != EINPROGRESS) return result;
  }
  errno = error;
  return -1;
}

int setsockopt(int socket, int level, int option, const void* value, socklen_t size) noexcept {
  static const auto real = next<int(int, int, int, const void*, socklen_t)>("setsockopt");
  return of_setsockopt.failure() != 0 ? -1 : real(socket, level, option, value, size);
}

int getsockopt(int socket, int level, int option, void* value, socklen_t* size) noexcept {
  static const auto real = next<int(int, int, int, void*, socklen_t*)>("getsockopt");
  return of_getsockopt.failure() != 0 ? -1 : real(socket, level, option, value, size);
}

int getsockname(int socket, sockaddr* address, socklen_t* size) noexcept {
  static const auto real = next<int(int, sockaddr*, socklen_t*)>("getsockname");
  return of_getsockname.failure() != 0 ? -1 : real(socket, address, size);
}

int bind(int socket, const sockaddr* address, socklen_t size) noexcept {
  static const auto real = next<int(int, const sockaddr*, socklen_t)>("bind");
  return of_bind.failure() != 0 ? -1 : real(socket, address, size);
}

int listen(int socket, int backlog) noexcept {
  static const auto real = next<int(int, int)>("listen");
  return of_listen.failure() != 0 ? -1 : real(socket, backlog);
}

int accept4(int socket, sockaddr* address, socklen_t* size, int flags) {
  static const auto real = next<int(int, sockaddr*, socklen_t*, int)>("accept4");
  return of_accept4.failure() != 0 ? -1 : real(socket, address, size, flags);
}

ssize_t send(int socket, const void* data, std::size_t size, int flags) {
  static const auto real = next<ssize_t(int, const void*, std::size_t, int)>("send");
  return of_send.failure() != 0 ? -1 : real(socket, data, size, flags);
}

ssize_t recv(int socket, void* buffer, std::size_t size, int flags) {
  static const auto real = next<ssize_t(int, void*, std::size_t, int)>("recv");
  return of_recv.failure() != 0 ? -1 : real(socket, buffer, size, flags);
}

int shutdown(int socket, int how) noexcept {
  static const auto real = next<int(int, int)>("shutdown");
  return of_shutdown.failure() != 0 ? -1 : real(socket, how);
}

int epoll_create1(int flags) noexcept {
  static const auto real = next<int(int)>("epoll_create1");
  return of_epoll_create1.failure() != 0 ? -1 : real(flags);
}

int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) noexcept {
  static const auto real = next<int(int, int, int, epoll_event*)>("epoll_ctl");
  // Taking out a descriptor that is in the set cannot fail.
  if (operation != EPOLL_CTL_DEL && of_epoll_ctl.failure() != 0) return -1;
  return real(epoll, operation, descriptor, event);
}

int epoll_wait(int epoll, epoll_event* events, int max, int timeout) {
  static const auto real = next<int(int, epoll_event*, int, int)>("epoll_wait");
  return of_epoll_wait.failure() != 0 ? -1 : real(epoll, events, max, timeout);
}

int eventfd(unsigned int count, int flags) noexcept {
  static const auto real = next<int(unsigned int, int)>("eventfd");
  return of_eventfd.failure() != 0 ? -1 : real(count, flags);
}

int open(const char* path, int flags, ...) {
  static const auto real = next<int(const char*, int, ...)>("open");
  va_list mode;
  va_start(mode, flags);
  const int descriptor =
      of_open.failure() != 0 ? -1 : real(path, flags, (flags & O_CREAT) != 0 ? va_arg(mode, mode_t) : mode_t{});
  va_end(mode);
  return descriptor;
}

ssize_t write(int descriptor, const void* data, std::size_t size) {
  static const auto real = next<ssize_t(int, const void*, std::size_t)>("write");
  struct stat status {};
  Call& call = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) ? of_write_to_file : of_write;
  return call.failure() != 0 ? -1 : real(descriptor, data, size);
}

ssize_t read(int descriptor, void* buffer, std::size_t size) {
  static const auto real = next<ssize_t(int, void*, std::size_t)>("read");
  return of_read.failure() != 0 ? -1 : real(descriptor, buffer, size);
}

int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** result) {
  static const auto real = next<int(const char*, const char*, const addrinfo*, addrinfo**)>("getaddrinfo");
  const int error = of_getaddrinfo.failure();
  return error != 0 ? error : real(host, service, hints, result);
}

}  // extern "C"
