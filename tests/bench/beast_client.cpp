// What raw_client does, by Boost.Beast: one io_context on one thread, a read that is always under way, and one write at
// a time, which is all that Beast allows per stream.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "peer.h"

namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

void check(error_code error, const char* what) {
  if (error) bench::fail("beast", std::string(what) + ": " + error.message());
}

struct Client {
  explicit Client(const bench::Arguments& parsed) : arguments(parsed), payload(parsed.size, 'x'), exchange(parsed) {
    if (arguments.tls) {
      error_code error;
      tls.load_verify_file(arguments.ca, error);
      check(error, "--ca");
      tls.set_verify_mode(asio::ssl::verify_peer);
    }
  }

  const bench::Arguments arguments;
  const std::string payload;
  bench::Exchange exchange;
  asio::io_context io{1};
  asio::ssl::context tls{asio::ssl::context::tls_client};
};

tcp::socket make_stream(Client& client, tcp::socket*) { return tcp::socket(client.io); }
asio::ssl::stream<tcp::socket> make_stream(Client& client, asio::ssl::stream<tcp::socket>*) {
  return {client.io, client.tls};
}

template <typename Stream>
class Station {
 public:
  Station(Client& client, std::uint32_t index)
      : client_(client), index_(index), stream_(make_stream(client, static_cast<Stream*>(nullptr))) {}

  template <typename Done>
  void connect(Done done) {
    const tcp::endpoint endpoint(asio::ip::make_address(client_.arguments.host), client_.arguments.port);
    boost::beast::get_lowest_layer(stream_).async_connect(endpoint, [this, done](error_code error) {
      check(error, "connect");
      boost::beast::get_lowest_layer(stream_).set_option(tcp::no_delay(true));
      secure(stream_.next_layer(), done);
    });
  }

  void send(std::uint32_t messages) {
    to_write_ += messages;
    if (!writing_) write();
  }

  void read() {
    stream_.async_read(buffer_, [this](error_code error, std::size_t) {
      check(error, "read");
      buffer_.clear();
      const bool more = client_.exchange.answered(index_);
      if (client_.exchange.done()) {
        client_.io.stop();
        return;
      }
      if (more) send(1);
      read();
    });
  }

 private:
  template <typename Done>
  void secure(tcp::socket&, Done done) {
    upgrade(done);
  }
  template <typename Done>
  void secure(asio::ssl::stream<tcp::socket>& tls, Done done) {
    tls.set_verify_callback(asio::ssl::host_name_verification(client_.arguments.host));
    tls.async_handshake(asio::ssl::stream_base::client, [this, done](error_code error) {
      check(error, "TLS handshake");
      upgrade(done);
    });
  }

  template <typename Done>
  void upgrade(Done done) {
    stream_.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
      request.set(boost::beast::http::field::sec_websocket_protocol, "ocpp1.6");
    }));
    stream_.auto_fragment(false);
    stream_.text(true);
    stream_.async_handshake(bench::authority(client_.arguments), bench::station_path(client_.arguments, index_),
                            [done](error_code error) {
                              check(error, "upgrade");
                              done();
                            });
  }

  void write() {
    if (to_write_ == 0) return;
    --to_write_;
    writing_ = true;
    stream_.async_write(asio::buffer(client_.payload), [this](error_code error, std::size_t) {
      check(error, "write");
      writing_ = false;
      write();
    });
  }

  Client& client_;
  const std::uint32_t index_;
  websocket::stream<Stream> stream_;
  boost::beast::flat_buffer buffer_;
  std::uint32_t to_write_ = 0;
  bool writing_ = false;
};

template <typename Stream>
[[noreturn]] void run(Client& client) {
  std::vector<std::unique_ptr<Station<Stream>>> stations;
  const auto connect_all = [&] {
    std::uint32_t open = 0;
    std::function<void()> dial = [&] {
      if (stations.size() == client.arguments.stations) return;
      stations.push_back(std::make_unique<Station<Stream>>(client, static_cast<std::uint32_t>(stations.size())));
      stations.back()->connect([&] {
        if (++open == client.arguments.stations) client.io.stop();
        dial();
      });
    };
    for (std::uint32_t i = 0; i < bench::dials_max; ++i) dial();
    client.io.run();
    client.io.restart();
  };
  const auto exchange_all = [&] {
    for (std::uint32_t i = 0; i < client.arguments.stations; ++i) {
      client.exchange.begin(i);
      stations[i]->read();
      stations[i]->send(client.arguments.first_burst());
    }
    client.io.run();
  };
  const bench::Result result = bench::measure("beast", client.arguments, connect_all, exchange_all);
  bench::print_and_exit(client.arguments, result, client.exchange);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments = bench::parse_arguments(argc, argv);
  bench::raise_descriptor_limit();
  Client client(arguments);
  if (arguments.tls) run<asio::ssl::stream<tcp::socket>>(client);
  run<tcp::socket>(client);
}
