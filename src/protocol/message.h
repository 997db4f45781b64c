#pragma once

// websocketpp's message policy. Part of engine.cpp, the only file that includes websocketpp.

#include <cstddef>
#include <memory>
#include <string>
#include <websocketpp/common/memory.hpp>
#include <websocketpp/frame.hpp>

namespace cwire {

// One message or control frame from the peer. Text says to websocketpp that it is binary: its UTF-8 check takes more
// time than everything else about a message, and overlooks the end of fragmented text. FrameGate has checked every byte
// before.
class Message {
 public:
  using ptr = websocketpp::lib::shared_ptr<Message>;
  using Opcode = websocketpp::frame::opcode::value;

  // websocketpp's source of messages. One serves any number of connections.
  class Manager {
   public:
    using ptr = websocketpp::lib::shared_ptr<Manager>;
    Message::ptr get_message(Opcode opcode, std::size_t size) { return std::make_shared<Message>(opcode, size); }
  };

  Message(Opcode opcode, std::size_t size)
      : opcode_(opcode == websocketpp::frame::opcode::text ? websocketpp::frame::opcode::binary : opcode),
        text_(opcode == websocketpp::frame::opcode::text) {
    payload_.reserve(size);
  }

  bool is_text() const { return text_; }

  const std::string& payload() const { return payload_; }

  // What websocketpp asks of a message. Some of it only to send, which it does not do here.
  Opcode get_opcode() const { return opcode_; }
  void set_opcode(Opcode opcode) { opcode_ = opcode; }
  std::string& get_raw_payload() { return payload_; }
  void set_header(const std::string&) {}
  void set_prepared(bool) {}
  bool get_fin() const { return true; }
  bool get_compressed() const { return false; }
  void set_compressed(bool) {}

 private:
  std::string payload_;
  Opcode opcode_;
  bool text_;
};

}  // namespace cwire
