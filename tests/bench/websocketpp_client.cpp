// What raw_client does, by stock websocketpp on its own Asio transport: one thread runs the endpoint, each answer is
// sent from inside the message handler.
#include <functional>
#include <string>
#include <vector>
#include <websocketpp/client.hpp>
#include <websocketpp/config/asio_no_tls_client.hpp>

#include "peer.h"

namespace {

using Endpoint = websocketpp::client<websocketpp::config::asio_client>;

[[noreturn]] void fail(const std::string& what) { bench::fail("websocketpp", what); }

class WebsocketppClient {
 public:
  explicit WebsocketppClient(const bench::Arguments& arguments)
      : arguments_(arguments), payload_(arguments.size, 'x'), exchange_(arguments) {
    endpoint_.clear_access_channels(websocketpp::log::alevel::all);
    endpoint_.clear_error_channels(websocketpp::log::elevel::all);
    endpoint_.init_asio();
    connections_.reserve(arguments.stations);
  }

  [[noreturn]] void run() {
    const auto connect_all = [&] {
      for (std::uint32_t i = 0; i < bench::dials_max; ++i) dial_next();
      endpoint_.run();
      endpoint_.reset();
    };
    const auto exchange_all = [&] {
      for (std::uint32_t station = 0; station < arguments_.stations; ++station) {
        exchange_.begin(station);
        for (std::uint32_t i = 0; i < arguments_.first_burst(); ++i) send(station);
      }
      endpoint_.run();
    };
    bench::print_and_exit(arguments_, bench::measure("websocketpp", arguments_, connect_all, exchange_all), exchange_);
  }

 private:
  void dial_next() {
    const auto station = static_cast<std::uint32_t>(connections_.size());
    if (station == arguments_.stations) return;
    websocketpp::lib::error_code error;
    const Endpoint::connection_ptr connection = endpoint_.get_connection(
        "ws://" + bench::authority(arguments_) + bench::station_path(arguments_, station), error);
    if (error) fail("connect: " + error.message());
    connection->add_subprotocol("ocpp1.6", error);
    if (error) fail("add_subprotocol: " + error.message());
    connection->set_open_handler([this, station](const websocketpp::connection_hdl&) {
      connections_[station]->get_raw_socket().set_option(websocketpp::lib::asio::ip::tcp::no_delay(true));
      if (++open_ == arguments_.stations) endpoint_.stop();
      dial_next();
    });
    connection->set_fail_handler([this, station](const websocketpp::connection_hdl&) {
      fail("connect: " + connections_[station]->get_ec().message());
    });
    connection->set_close_handler([](const websocketpp::connection_hdl&) { fail("the server closed a connection"); });
    connection->set_message_handler([this, station](const websocketpp::connection_hdl&, const Endpoint::message_ptr&) {
      if (exchange_.answered(station)) send(station);
      if (exchange_.done()) endpoint_.stop();
    });
    connections_.push_back(connection);
    endpoint_.connect(connection);
  }

  void send(std::uint32_t station) {
    if (connections_[station]->send(payload_, websocketpp::frame::opcode::text)) fail("send");
  }

  const bench::Arguments arguments_;
  const std::string payload_;
  bench::Exchange exchange_;
  Endpoint endpoint_;
  std::vector<Endpoint::connection_ptr> connections_;
  std::uint32_t open_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments = bench::parse_arguments(argc, argv);
  if (arguments.tls) fail("wss is not measured with websocketpp");
  bench::raise_descriptor_limit();
  WebsocketppClient(arguments).run();
}
