#pragma once

// How websocketpp is put together here. Part of engine.cpp, the only file that includes websocketpp.

#include <cstddef>
#include <websocketpp/extensions/permessage_deflate/disabled.hpp>
#include <websocketpp/http/request.hpp>
#include <websocketpp/http/response.hpp>
#include <websocketpp/processors/hybi13.hpp>

#include "protocol/mask_source.h"
#include "protocol/message.h"

namespace cwire {

// What websocketpp's processor of RFC 6455 frames asks for. It is used without websocketpp's connection, which would
// bring buffers, queues and a handshake of its own.
struct WebsocketppConfig {
  // Named by its handshake, which is not called.
  using request_type = websocketpp::http::parser::request;
  using response_type = websocketpp::http::parser::response;

  using message_type = Message;
  using con_msg_manager_type = Message::Manager;
  using rng_type = MaskSource;
  using permessage_deflate_type = websocketpp::extensions::permessage_deflate::disabled<WebsocketppConfig>;
  static constexpr bool enable_extensions = false;
  static constexpr std::size_t max_message_size = 0;  // each session sets its own
};

}  // namespace cwire
