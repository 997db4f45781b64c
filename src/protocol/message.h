#pragma once

// websocketpp's message policy. Part of engine.cpp, the only file that includes websocketpp.

#include <cstddef>
#include <string>
#include <websocketpp/common/memory.hpp>
#include <websocketpp/frame.hpp>
#include <websocketpp/message_buffer/alloc.hpp>

namespace cwire {

// One message, received or a control frame to be sent. Differs from websocketpp's own in that text says to websocketpp
// that it is binary: its UTF-8 check takes more time than everything else about a message, and overlooks the end of
// fragmented text. FrameGate has checked every byte before.
class Message {
 public:
  using ptr = websocketpp::lib::shared_ptr<Message>;
  using Opcode = websocketpp::frame::opcode::value;
  using Manager = websocketpp::message_buffer::alloc::con_msg_manager<Message>;

  explicit Message(const websocketpp::lib::shared_ptr<Manager>&) {}
  Message(const websocketpp::lib::shared_ptr<Manager>&, Opcode opcode, std::size_t size)
      : opcode_(opcode == websocketpp::frame::opcode::text ? websocketpp::frame::opcode::binary : opcode),
        text_(opcode == websocketpp::frame::opcode::text) {
    payload_.reserve(size);
  }

  bool is_text() const { return text_; }

  // What websocketpp asks of a message.
  Opcode get_opcode() const { return opcode_; }
  void set_opcode(Opcode opcode) { opcode_ = opcode; }
  const std::string& get_payload() const { return payload_; }
  std::string& get_raw_payload() { return payload_; }
  void set_payload(const std::string& payload) { payload_ = payload; }
  void append_payload(const std::string& payload) { payload_.append(payload); }
  void append_payload(const void* payload, std::size_t size) {
    payload_.append(static_cast<const char*>(payload), size);
  }
  const std::string& get_header() const { return header_; }
  void set_header(const std::string& header) { header_ = header; }
  bool get_prepared() const { return prepared_; }
  void set_prepared(bool prepared) { prepared_ = prepared; }
  bool get_fin() const { return true; }
  bool get_terminal() const { return terminal_; }
  void set_terminal(bool terminal) { terminal_ = terminal; }
  bool get_compressed() const { return compressed_; }
  void set_compressed(bool compressed) { compressed_ = compressed; }

 private:
  std::string header_;
  std::string payload_;
  Opcode opcode_ = websocketpp::frame::opcode::continuation;
  bool text_ = false;
  bool prepared_ = false;
  bool terminal_ = false;
  bool compressed_ = false;
};

}  // namespace cwire
