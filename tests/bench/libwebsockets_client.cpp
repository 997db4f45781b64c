// What raw_client does, by libwebsockets: libuv's event loop on one thread, and one write per WRITEABLE callback, as
// its documentation asks.
#include <libwebsockets.h>
#include <uv.h>

#include <cstring>
#include <string>
#include <vector>

#include "peer.h"

namespace {

[[noreturn]] void fail(const std::string& what) { bench::fail("libwebsockets", what); }

struct Station {
  lws* wsi = nullptr;
  std::uint32_t to_write = 0;
};

class LibwebsocketsClient {
 public:
  explicit LibwebsocketsClient(const bench::Arguments& arguments)
      : arguments_(arguments),
        exchange_(arguments),
        stations_(arguments.stations),
        payload_(arguments.size, 'x'),
        frame_(LWS_PRE + arguments.size) {
    lws_set_log_level(LLL_ERR, nullptr);
    protocols_[0].name = "ocpp1.6";
    protocols_[0].callback = &on_callback;
    lws_context_creation_info info{};
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = protocols_;
    info.user = this;
    // Its own loop is poll(), which would be slower with many stations. A loop of ours, because its own libuv loop
    // cannot be left before the end.
    info.options = LWS_SERVER_OPTION_LIBUV;
    uv_loop_init(&loop_);
    info.foreign_loops = foreign_loops_;
    if (arguments.tls) {
      info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
      info.client_ssl_ca_filepath = arguments.ca.c_str();
    }
    context_ = lws_create_context(&info);
    if (context_ == nullptr) fail("lws_create_context (is libwebsockets-evlib-uv installed?)");
  }

  [[noreturn]] void run() {
    const auto connect_all = [&] {
      for (std::uint32_t i = 0; i < bench::dials_max; ++i) dial_next();
      while (open_ < arguments_.stations) turn();
    };
    const auto exchange_all = [&] {
      for (std::uint32_t station = 0; station < arguments_.stations; ++station) {
        exchange_.begin(station);
        send(station, arguments_.first_burst());
      }
      while (!exchange_.done()) turn();
    };
    bench::print_and_exit(arguments_, bench::measure("libwebsockets", arguments_, connect_all, exchange_all),
                          exchange_);
  }

 private:
  void turn() { uv_run(&loop_, UV_RUN_ONCE); }

  void dial_next() {
    if (dialed_ == arguments_.stations) return;
    const std::uint32_t station = dialed_++;
    const std::string path = bench::station_path(arguments_, station);
    const std::string authority = bench::authority(arguments_);
    lws_client_connect_info info{};
    info.context = context_;
    info.address = arguments_.host.c_str();
    info.port = arguments_.port;
    info.path = path.c_str();
    info.host = authority.c_str();
    info.protocol = "ocpp1.6";
    info.local_protocol_name = "ocpp1.6";
    info.ssl_connection = arguments_.tls ? LCCSCF_USE_SSL : 0;
    info.opaque_user_data = reinterpret_cast<void*>(std::uintptr_t{station});
    info.pwsi = &stations_[station].wsi;
    if (lws_client_connect_via_info(&info) == nullptr) fail("lws_client_connect_via_info");
  }

  static int on_callback(lws* wsi, lws_callback_reasons reason, void*, void* in, std::size_t) {
    auto* client = static_cast<LibwebsocketsClient*>(lws_context_user(lws_get_context(wsi)));
    const auto station = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(lws_get_opaque_user_data(wsi)));
    switch (reason) {
      case LWS_CALLBACK_CLIENT_ESTABLISHED:
        ++client->open_;
        client->dial_next();
        break;
      case LWS_CALLBACK_CLIENT_RECEIVE:
        if (lws_is_final_fragment(wsi) == 0 || lws_remaining_packet_payload(wsi) != 0) break;
        if (client->exchange_.answered(station)) client->send(station, 1);
        break;
      case LWS_CALLBACK_CLIENT_WRITEABLE:
        client->write(station);
        break;
      case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        fail(std::string("connect: ") + (in == nullptr ? "no reason given" : static_cast<const char*>(in)));
      case LWS_CALLBACK_CLIENT_CLOSED:
        fail("the server closed a connection");
      default:
        break;
    }
    return 0;
  }

  void send(std::uint32_t station, std::uint32_t messages) {
    stations_[station].to_write += messages;
    lws_callback_on_writable(stations_[station].wsi);
  }

  void write(std::uint32_t index) {
    Station& station = stations_[index];
    if (station.to_write == 0) return;
    --station.to_write;
    // lws_write masks in place.
    std::memcpy(frame_.data() + LWS_PRE, payload_.data(), payload_.size());
    if (lws_write(station.wsi, frame_.data() + LWS_PRE, payload_.size(), LWS_WRITE_TEXT) < 0) fail("lws_write");
    if (station.to_write != 0) lws_callback_on_writable(station.wsi);
  }

  const bench::Arguments arguments_;
  bench::Exchange exchange_;
  std::vector<Station> stations_;
  const std::string payload_;
  std::vector<unsigned char> frame_;
  lws_protocols protocols_[2] = {};
  uv_loop_t loop_;
  void* foreign_loops_[1] = {&loop_};
  lws_context* context_ = nullptr;
  std::uint32_t dialed_ = 0;
  std::uint32_t open_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments = bench::parse_arguments(argc, argv);
  bench::raise_descriptor_limit();
  LibwebsocketsClient(arguments).run();
}
