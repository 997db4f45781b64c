#include "csms.h"

#include <sys/resource.h>

#include <asio.hpp>
#include <asio/ssl.hpp>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/asio.hpp>
#include <websocketpp/extensions/permessage_deflate/enabled.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/server.hpp>

#include "access.h"
#include "ocpp_responder.h"

namespace csms {
namespace {

using asio::ip::tcp;

constexpr int listen_backlog = 4096;
// After an accept that failed for want of descriptors or memory.
constexpr auto accept_pause = std::chrono::milliseconds(20);
// For what TLS and WebSocket still want to do when the server ends.
constexpr auto farewell_limit = std::chrono::seconds(1);

// What we remember of a connection. websocketpp makes it a base of its connection class.
struct Session {
  std::string identity;
  ocpp::Version version = ocpp::Version::v1_6;
  bool open = false;
  bool dropped = false;
};

// websocketpp makes one of these for each connection, and gives it nothing that could say for which server. Each server
// has a thread of its own.
thread_local bool deflates = false;

// permessage-deflate with what is enough for OCPP: a stock one takes 190 KB for each connection.
template <class Config>
struct Deflate : websocketpp::extensions::permessage_deflate::enabled<Config> {
  Deflate() {
    this->set_server_max_window_bits(11, websocketpp::extensions::permessage_deflate::mode::largest);
    this->set_client_max_window_bits(15, websocketpp::extensions::permessage_deflate::mode::largest);
  }
  bool is_implemented() const { return deflates; }
};

// websocketpp for many quiet connections on one thread: no locks, no logs, small buffers.
template <class SocketPolicy>
struct ServerConfig : websocketpp::config::core {
  using type = ServerConfig;
  using concurrency_type = websocketpp::concurrency::none;
  using alog_type = websocketpp::log::stub;
  using elog_type = websocketpp::log::stub;
  using connection_base = Session;
  using permessage_deflate_type = Deflate<ServerConfig>;
  static constexpr bool enable_extensions = true;
  static constexpr bool enable_multithreading = false;
  static constexpr std::size_t connection_read_buffer_size = 1024;
  // Generous: when thousands of stations come at once, each waits for its turn.
  static constexpr long timeout_open_handshake = 30000;

  struct transport_config : websocketpp::config::core::transport_config {
    using concurrency_type = ServerConfig::concurrency_type;
    using alog_type = ServerConfig::alog_type;
    using elog_type = ServerConfig::elog_type;
    using socket_type = SocketPolicy;
    static constexpr bool enable_multithreading = false;
    static constexpr long timeout_socket_post_init = 30000;
    // Short: Asio reports a TLS shutdown that had to wait for a read as aborted, and websocketpp then waits for this
    // timer.
    static constexpr long timeout_socket_shutdown = 200;
  };
  using transport_type = websocketpp::transport::asio::endpoint<transport_config>;
};

using PlainConfig = ServerConfig<websocketpp::transport::asio::basic_socket::endpoint>;
using TlsConfig = ServerConfig<websocketpp::transport::asio::tls_socket::endpoint>;

std::shared_ptr<asio::ssl::context> tls_context(const Options& options) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  const auto check = [](const asio::error_code& error, const char* what, const std::string& file) {
    if (error) throw std::runtime_error(std::string("cannot use the ") + what + " " + file + ": " + error.message());
  };
  asio::error_code error;
  context->use_certificate_chain_file(options.certificate_file, error);
  check(error, "certificate", options.certificate_file);
  context->use_private_key_file(options.key_file, asio::ssl::context::pem, error);
  check(error, "private key", options.key_file);
  if (!options.client_ca_file.empty()) {
    context->load_verify_file(options.client_ca_file, error);
    check(error, "client CA", options.client_ca_file);
    context->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    // Without it OpenSSL refuses to resume a session whose client was verified.
    static constexpr unsigned char session_context[] = "csms";
    SSL_CTX_set_session_id_context(context->native_handle(), session_context, sizeof session_context);
  }
  return context;
}

// Counters that one thread writes and any may read.
struct LiveCounters {
  using Counter = std::atomic<std::uint64_t>;
  Counter stations{0}, connections_accepted{0}, upgrades_accepted{0}, upgrades_refused{0}, messages_in{0},
      messages_out{0}, boots{0}, heartbeats{0}, pings{0}, pongs{0};

  Counters snapshot() const {
    return {stations,
            connections_accepted,
            upgrades_accepted,
            upgrades_refused,
            messages_in,
            messages_out,
            boots,
            heartbeats,
            pings,
            pongs};
  }
};

}  // namespace

// What does not depend on the socket: the thread, the port, the counters and those who wait for them.
class Csms::Server {
 public:
  explicit Server(Options options) : options_(std::move(options)), holder_(io_), acceptor_(io_), accept_timer_(io_) {
    asio::error_code error;
    const asio::ip::address address = asio::ip::make_address(options_.address, error);
    if (error) throw std::runtime_error("the address " + options_.address + " is not an IP address: give a literal");
    // The holder is bound and never listens. It keeps the port ours while the server plays dead: otherwise another
    // process, or the outgoing connection of a retrying station, could take it.
    bind(holder_, tcp::endpoint(address, options_.port));
    endpoint_ = holder_.local_endpoint();
    listen();
  }
  virtual ~Server() = default;

  virtual bool send_to(const std::string& identity, const std::string& message) = 0;
  virtual void close_all(std::uint16_t code, const std::string& reason) = 0;
  virtual void ping_all() = 0;
  virtual bool connected(const std::string& identity) const = 0;
  virtual void drop_all(Death death) = 0;

  // Runs `work` on the server's thread and waits for it. Posted twice, so that what was written before the call, and
  // may have reached its station already, is also known here to have been written: a station that was told 101 is then
  // open.
  template <class Work>
  auto on_thread(Work work) -> decltype(work()) {
    if (std::this_thread::get_id() == thread_.get_id()) return work();
    const auto task = std::make_shared<std::packaged_task<decltype(work())()>>(std::move(work));
    auto result = task->get_future();
    asio::post(io_, [this, task] { asio::post(io_, [task] { (*task)(); }); });
    return result.get();
  }

  void listen() {
    if (acceptor_.is_open()) return;
    bind(acceptor_, endpoint_);
    asio::error_code error;
    acceptor_.listen(listen_backlog, error);
    if (error) throw cannot_listen(error);
    accept();
  }
  void stop_listening() {
    asio::error_code ignored;
    acceptor_.close(ignored);
    accept_timer_.cancel();
  }
  void refuse(int http_status, int retry_after_seconds) {
    refusal_status_ = http_status;
    retry_after_seconds_ = retry_after_seconds;
  }
  void fall_silent() { silent_ = true; }
  void come_back() {
    refusal_status_ = 0;
    silent_ = false;
    listen();
  }
  void set_password(const std::string& identity, const std::string& password) {
    options_.passwords[identity] = password;
  }

  std::string url() const {
    const std::string host =
        endpoint_.address().is_v6() ? "[" + endpoint_.address().to_string() + "]" : endpoint_.address().to_string();
    return (options_.certificate_file.empty() ? "ws://" : "wss://") + host + ":" + std::to_string(port());
  }
  std::uint16_t port() const { return endpoint_.port(); }
  Counters counters() const { return counters_.snapshot(); }

  bool wait_until(const std::function<bool(const Counters&)>& wanted, std::chrono::milliseconds at_most) {
    std::unique_lock<std::mutex> lock(wait_mutex_);
    ++waiters_;
    const bool came = wait_condition_.wait_for(lock, at_most, [&] { return wanted(counters()); });
    --waiters_;
    return came;
  }

 protected:
  virtual void take(tcp::socket socket) = 0;

  void start_thread() {
    // websocketpp finds out the byte order at first use and notes it without a lock: once, before there are threads.
    static const std::uint64_t found_out = websocketpp::lib::net::_htonll(1);
    static_cast<void>(found_out);
    thread_ = std::thread([this] {
      deflates = options_.deflate;
      io_.run();
      // Stopped: let the connections that were dropped come to their end.
      work_.reset();
      io_.restart();
      io_.run_for(farewell_limit);
    });
  }
  void end_thread() {
    on_thread([this] {
      stop_listening();
      drop_all(Death::reset);
    });
    io_.stop();
    thread_.join();
  }
  // To be called after a counter changed. Costs a load while nobody waits.
  void changed() {
    if (waiters_.load() == 0) return;
    std::lock_guard<std::mutex> lock(wait_mutex_);
    wait_condition_.notify_all();
  }

  Options options_;
  asio::io_context io_{1};
  LiveCounters counters_;
  int refusal_status_ = 0;
  int retry_after_seconds_ = 0;
  bool silent_ = false;

 private:
  std::runtime_error cannot_listen(const asio::error_code& error) const {
    return std::runtime_error("cannot listen on " + options_.address + " port " + std::to_string(options_.port) + ": " +
                              error.message());
  }

  void bind(tcp::acceptor& socket, const tcp::endpoint& endpoint) {
    asio::error_code error;
    socket.open(endpoint.protocol(), error);
    if (!error) socket.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) socket.bind(endpoint, error);
    if (!error) return;
    asio::error_code ignored;
    socket.close(ignored);
    throw cannot_listen(error);
  }

  void accept() {
    acceptor_.async_accept([this](const asio::error_code& error, tcp::socket socket) {
      if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
      if (error) {
        accept_timer_.expires_after(accept_pause);
        accept_timer_.async_wait([this](const asio::error_code& cancelled) {
          if (!cancelled && acceptor_.is_open()) accept();
        });
        return;
      }
      ++counters_.connections_accepted;
      asio::error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      take(std::move(socket));
      changed();
      accept();
    });
  }

  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  tcp::endpoint endpoint_;
  tcp::acceptor holder_;
  tcp::acceptor acceptor_;
  asio::steady_timer accept_timer_;
  std::thread thread_;

  std::mutex wait_mutex_;
  std::condition_variable wait_condition_;
  std::atomic<int> waiters_{0};
};

// The WebSocket side, for ws or wss.
template <class Config>
class Csms::WebSocketServer final : public Csms::Server {
  using Endpoint = websocketpp::server<Config>;
  using Connection = typename Endpoint::connection_ptr;
  using Handle = websocketpp::connection_hdl;
  using Message = typename Endpoint::message_ptr;

 public:
  WebSocketServer(Options options, std::shared_ptr<asio::ssl::context> tls) : Server(std::move(options)) {
    endpoint_.init_asio(&io_);
    endpoint_.set_user_agent("chargewire-csms");
    if constexpr (std::is_same_v<Config, TlsConfig>) {
      endpoint_.set_tls_init_handler([tls](Handle) { return tls; });
    }
    endpoint_.set_validate_handler([this](Handle handle) { return validate(*endpoint_.get_con_from_hdl(handle)); });
    endpoint_.set_open_handler([this](Handle handle) { opened(endpoint_.get_con_from_hdl(handle)); });
    endpoint_.set_message_handler(
        [this](Handle handle, Message message) { received(*endpoint_.get_con_from_hdl(handle), *message); });
    endpoint_.set_ping_handler([this](Handle, const std::string&) { return pinged(); });
    endpoint_.set_pong_handler([this](Handle, const std::string&) {
      ++counters_.pongs;
      changed();
    });
    endpoint_.set_close_handler([this](Handle handle) { forget(endpoint_.get_con_from_hdl(handle)); });
    endpoint_.set_fail_handler([this](Handle handle) { forget(endpoint_.get_con_from_hdl(handle)); });
    start_thread();
  }

  ~WebSocketServer() override { end_thread(); }

  bool send_to(const std::string& identity, const std::string& message) override {
    const auto found = stations_.find(identity);
    return found != stations_.end() && send(*found->second, message);
  }

  void close_all(std::uint16_t code, const std::string& reason) override {
    for (const Connection& connection : connections_) {
      websocketpp::lib::error_code ignored;
      if (connection->open) connection->close(code, reason, ignored);
    }
  }

  void ping_all() override {
    for (const Connection& connection : connections_) {
      websocketpp::lib::error_code ignored;
      if (connection->open) connection->ping("", ignored);
    }
  }

  bool connected(const std::string& identity) const override { return stations_.count(identity) != 0; }

  void drop_all(Death death) override {
    // websocketpp notices by its pending read and ends the rest by itself; our books are closed here and now.
    const auto dropped = std::move(connections_);
    connections_.clear();
    for (const Connection& connection : dropped) {
      asio::error_code ignored;
      if (death == Death::reset) connection->get_raw_socket().set_option(asio::socket_base::linger(true, 0), ignored);
      connection->get_raw_socket().close(ignored);
      connection->dropped = true;
      leave(connection);
    }
    changed();
  }

 private:
  void take(tcp::socket socket) override {
    websocketpp::lib::error_code error;
    const Connection connection = endpoint_.get_connection();
    if (!connection) return;
    connection->get_next_layer() = std::move(socket);
    connections_.insert(connection);
    connection->start();
  }

  bool turn_away(typename Endpoint::connection_type& connection, int status) {
    connection.set_status(static_cast<websocketpp::http::status_code::value>(status));
    connection.append_header("Content-Length", "0");
    ++counters_.upgrades_refused;
    changed();
    return false;
  }

  // Is this upgrade request to be accepted? OCPP-J part 4, 3.1 and 3.3: 404 for a station that is not known; no version
  // in common is answered with 101 without the header, and then closed.
  bool validate(typename Endpoint::connection_type& connection) {
    if (refusal_status_ != 0) {
      if (retry_after_seconds_ != 0) connection.append_header("Retry-After", std::to_string(retry_after_seconds_));
      return turn_away(connection, refusal_status_);
    }
    const std::optional<std::string> identity = identity_of(connection.get_request().get_uri());
    if (!identity || (options_.knows && !options_.knows(*identity))) return turn_away(connection, 404);
    if (!authorized(*identity, connection.get_request_header("Authorization"))) {
      connection.append_header("WWW-Authenticate", options_.bearer_token.empty() ? "Basic realm=\"OCPP\"" : "Bearer");
      return turn_away(connection, 401);
    }
    connection.identity = *identity;
    for (const std::string& offered : connection.get_requested_subprotocols()) {
      const auto& known = options_.subprotocols;
      if (std::find(known.begin(), known.end(), offered) == known.end()) continue;
      websocketpp::lib::error_code ignored;
      connection.select_subprotocol(offered, ignored);
      connection.version = ocpp::version_of(offered).value_or(ocpp::Version::v1_6);
      break;
    }
    return true;
  }

  bool authorized(const std::string& identity, const std::string& authorization) const {
    if (!options_.bearer_token.empty()) {
      const std::optional<std::string> token = bearer_token(authorization);
      return token && same_secret(*token, options_.bearer_token);
    }
    const auto own = options_.passwords.find(identity);
    const bool has_own = own != options_.passwords.end();
    if (!has_own && options_.password.empty()) return options_.passwords.empty();
    const auto credentials = basic_credentials(authorization);
    return credentials && credentials->first == identity &&
           same_secret(credentials->second, has_own ? own->second : options_.password);
  }

  void opened(const Connection& connection) {
    if (connection->dropped) return;  // the response had gone out just before
    websocketpp::lib::error_code ignored;
    if (connection->get_subprotocol().empty() && !options_.echo) {
      connection->close(websocketpp::close::status::protocol_error, "no OCPP version in common", ignored);
      return;
    }
    connection->open = true;
    ++counters_.upgrades_accepted;
    ++counters_.stations;
    Connection& current = stations_[connection->identity];
    // A station has one connection. That it opens another says that it has lost the one before.
    if (current)
      current->close(websocketpp::close::status::policy_violation, "replaced by a newer connection", ignored);
    current = connection;
    changed();
  }

  bool pinged() {
    ++counters_.pings;
    changed();
    return !silent_;
  }

  void received(typename Endpoint::connection_type& connection,
                const websocketpp::config::core::message_type& message) {
    if (!connection.open) return;
    ++counters_.messages_in;
    if (options_.on_message) options_.on_message(connection.identity, message.get_payload());
    if (!silent_) reply(connection, message);
    changed();
  }

  void reply(typename Endpoint::connection_type& connection, const websocketpp::config::core::message_type& message) {
    if (options_.echo) {
      send(connection, message.get_payload(), message.get_opcode());
      return;
    }
    websocketpp::lib::error_code ignored;
    if (message.get_opcode() != websocketpp::frame::opcode::text) {
      connection.close(websocketpp::close::status::unsupported_data, "OCPP-J messages are text", ignored);
      return;
    }
    const Answer answer = answer_to(message.get_payload(), connection.version, std::chrono::system_clock::now(),
                                    options_.heartbeat_interval_seconds);
    if (answer.action == "BootNotification") ++counters_.boots;
    if (answer.action == "Heartbeat") ++counters_.heartbeats;
    if (answer.text) send(connection, *answer.text);
  }

  bool send(typename Endpoint::connection_type& connection, const std::string& text,
            websocketpp::frame::opcode::value opcode = websocketpp::frame::opcode::text) {
    constexpr std::size_t kCompressMin = 128;  // below, an answer of OCPP becomes longer
    const auto message = connection.get_message(opcode, text.size());
    message->append_payload(text);
    message->set_compressed(text.size() >= kCompressMin);
    if (connection.send(message)) return false;
    ++counters_.messages_out;
    changed();
    return true;
  }

  // A connection that is no more.
  void forget(const Connection& connection) {
    connections_.erase(connection);
    leave(connection);
    changed();
  }

  void leave(const Connection& connection) {
    if (!connection->open) return;
    connection->open = false;
    --counters_.stations;
    const auto found = stations_.find(connection->identity);
    if (found != stations_.end() && found->second == connection) stations_.erase(found);
  }

  Endpoint endpoint_;
  std::unordered_set<Connection> connections_;  // every TCP connection, from accept to its end
  std::unordered_map<std::string, Connection> stations_;
};

Csms::Csms(Options options) {
  if (options.certificate_file.empty()) {
    server_ = std::make_unique<WebSocketServer<PlainConfig>>(std::move(options), nullptr);
  } else {
    const auto tls = tls_context(options);
    server_ = std::make_unique<WebSocketServer<TlsConfig>>(std::move(options), tls);
  }
}

Csms::~Csms() = default;

std::uint16_t Csms::port() const { return server_->port(); }
std::string Csms::url() const { return server_->url(); }

void Csms::die(Death death) {
  server_->on_thread([this, death] {
    server_->stop_listening();
    server_->drop_all(death);
  });
}

void Csms::refuse(int http_status, int retry_after_seconds) {
  server_->on_thread([=] { server_->refuse(http_status, retry_after_seconds); });
}

void Csms::refuse_tcp() {
  server_->on_thread([this] { server_->stop_listening(); });
}

void Csms::fall_silent() {
  server_->on_thread([this] { server_->fall_silent(); });
}

void Csms::come_back() {
  server_->on_thread([this] { server_->come_back(); });
}

void Csms::close_all(std::uint16_t code, const std::string& reason) {
  server_->on_thread([&] { server_->close_all(code, reason); });
}

bool Csms::send_to(const std::string& identity, const std::string& message) {
  return server_->on_thread([&] { return server_->send_to(identity, message); });
}

void Csms::ping_all() {
  server_->on_thread([this] { server_->ping_all(); });
}

void Csms::set_password(const std::string& identity, const std::string& password) {
  server_->on_thread([&] { server_->set_password(identity, password); });
}

bool Csms::connected(const std::string& identity) const {
  return server_->on_thread([&] { return server_->connected(identity); });
}

std::size_t Csms::stations() const { return counters().stations; }

Counters Csms::counters() const {
  return server_->on_thread([this] { return server_->counters(); });
}

bool Csms::wait_until(const std::function<bool(const Counters&)>& wanted, std::chrono::milliseconds at_most) const {
  return server_->wait_until(wanted, at_most);
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace csms
