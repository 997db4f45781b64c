#pragma once

// How websocketpp is put together here. Part of engine.cpp, the only file that includes websocketpp.

#include <string>
#include <websocketpp/client.hpp>
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/core_client.hpp>
#include <websocketpp/http/request.hpp>
#include <websocketpp/http/response.hpp>
#include <websocketpp/logger/stub.hpp>

#include "protocol/mask_source.h"
#include "protocol/memory_transport.h"
#include "protocol/message.h"

namespace cwire {

// websocketpp keeps both halves of the handshake for the life of a connection, some 2 KB that nothing reads again.
template <typename Base>
class ForgettableHead : public Base {
 public:
  void forget() {
    this->m_headers.clear();
    std::string().swap(this->m_version);
  }
};

class HandshakeRequest : public ForgettableHead<websocketpp::http::parser::request> {
 public:
  // Hides the base's: the request is written by write_upgrade_request, so websocketpp has nothing to keep and to send.
  std::string raw() const { return std::string(); }
};

class HandshakeResponse : public ForgettableHead<websocketpp::http::parser::response> {
 public:
  // Hides the base's, which would be formatted for a log that is not there.
  std::string raw() const { return std::string(); }
};

struct WebsocketppConfig : websocketpp::config::core_client {
  typedef WebsocketppConfig type;
  typedef websocketpp::config::core_client base;

  // One thread per engine: no locks.
  typedef websocketpp::concurrency::none concurrency_type;
  static bool const enable_multithreading = false;

  typedef HandshakeRequest request_type;
  typedef HandshakeResponse response_type;
  typedef Message message_type;
  typedef Message::Manager con_msg_manager_type;
  typedef websocketpp::message_buffer::alloc::endpoint_msg_manager<con_msg_manager_type> endpoint_msg_manager_type;

  typedef websocketpp::log::stub alog_type;
  typedef websocketpp::log::stub elog_type;
  typedef MaskSource rng_type;

  // Inside every connection; only what is on its way from the thread's receive buffer into a message.
  static const size_t connection_read_buffer_size = 512;

  // No timers: the deadlines are the station's.
  static const long timeout_open_handshake = 0;
  static const long timeout_close_handshake = 0;
  static const long timeout_pong = 0;

  struct transport_config : base::transport_config {
    typedef type::concurrency_type concurrency_type;
    typedef type::elog_type elog_type;
    typedef type::alog_type alog_type;
    typedef type::request_type request_type;
    typedef type::response_type response_type;
    static bool const enable_multithreading = false;
  };
  typedef memory_transport::endpoint<transport_config> transport_type;
};

}  // namespace cwire
