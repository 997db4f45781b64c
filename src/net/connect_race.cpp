#include "net/connect_race.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/errno_text.h"

namespace cwire {

namespace {

// Refusals in the message of a failed dial.
constexpr std::size_t kNamedMax = 3;

// How much an errno says about why a host cannot be reached. That this machine has no IPv6 says little when the host
// has refused over IPv4.
int weight(int error) {
  switch (error) {
    case EAFNOSUPPORT:
    case ENETUNREACH:
    case EADDRNOTAVAIL:
      return 0;
    default:
      return is_local_failure(error) ? 2 : 1;
  }
}

}  // namespace

void interleave_families(Resolver::Addresses& addresses) {
  Resolver::Addresses first, second;
  for (const auto& address : addresses) {
    (address.is_v6() == addresses.front().is_v6() ? first : second).push_back(address);
  }
  addresses.clear();
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) addresses.push_back(first[i]);
    if (i < second.size()) addresses.push_back(second[i]);
  }
}

// One address being tried.
struct ConnectRace::Attempt final : Poller::Watcher {
  ConnectRace& race;
  const asio::ip::tcp::endpoint remote;
  Socket socket;
  bool watched = false;
  bool decided = false;

  Attempt(ConnectRace& r, const asio::ip::tcp::endpoint& e) : race(r), remote(e) {}
  ~Attempt() {
    if (watched) race.poller_.remove(socket.get(), *this);
  }
  void on_ready(bool, bool) override {
    decided = true;
    race.listener_.on_attempt_decided();
  }
};

ConnectRace::ConnectRace(Poller& poller, Listener& listener, Resolver::Addresses addresses, std::uint16_t port,
                         std::optional<asio::ip::address> source)
    : poller_(poller), listener_(listener), addresses_(std::move(addresses)), port_(port), source_(std::move(source)) {
  interleave_families(addresses_);
}

ConnectRace::~ConnectRace() {
  const Socket closed(winner_.socket);  // nobody took it
}

ConnectRace::Outcome ConnectRace::advance(TimePoint now) {
  for (auto it = attempts_.begin(); it != attempts_.end();) {
    Attempt& attempt = **it;
    if (!attempt.decided) {
      ++it;
      continue;
    }
    const int error = connect_result(attempt.socket.get(), attempt.remote);
    if (error == 0) {
      winner_ = {attempt.socket.release(), attempt.remote, std::exchange(attempt.watched, false)};
      attempts_.clear();
      return Outcome::connected;
    }
    note_refusal(attempt.remote, error);
    it = attempts_.erase(it);
    next_due_ = now;
  }
  while (next_ < addresses_.size() && (attempts_.empty() || next_due_ <= now)) {
    if (begin_next(now)) {
      attempts_.clear();
      return Outcome::connected;
    }
  }
  return attempts_.empty() ? Outcome::failed : Outcome::pending;
}

// True: connected at once.
bool ConnectRace::begin_next(TimePoint now) {
  if (attempts_.size() == kAttemptsMax) {
    note_refusal(attempts_.front()->remote, ETIMEDOUT);
    attempts_.erase(attempts_.begin());
  }
  auto attempt = std::make_unique<Attempt>(*this, asio::ip::tcp::endpoint(addresses_[next_], port_));
  ++next_;
  const asio::ip::tcp::endpoint& remote = attempt->remote;
  Socket& socket = attempt->socket;
  socket.reset(open_tcp_socket(remote.protocol().family()));
  int error = socket.get() < 0 ? errno : 0;
  if (error == 0 && source_) {
    error = bind_source(socket.get(), *source_);
    lacks_source_ = error == EADDRNOTAVAIL;
  }
  if (error == 0) error = begin_connect(socket.get(), remote);
  if (error == EINPROGRESS) {
    attempts_.reserve(attempts_.size() + 1);
    poller_.add(socket.get(), *attempt, false, true);
    attempt->watched = true;
    attempts_.push_back(std::move(attempt));
    next_due_ = now + kAttemptDelay;
    return false;
  }
  if (error == 0) error = connect_result(socket.get(), remote);
  if (error == 0) {
    winner_ = {socket.release(), remote, false};
    return true;
  }
  note_refusal(remote, error);
  if (is_local_failure(error) || lacks_source_) next_ = addresses_.size();
  return false;
}

TimePoint ConnectRace::due() const { return next_ < addresses_.size() ? next_due_ : kNever; }

ConnectRace::Winner ConnectRace::take_winner() { return std::exchange(winner_, Winner()); }

void ConnectRace::give_up() {
  for (const auto& attempt : attempts_) note_refusal(attempt->remote, ETIMEDOUT);
  attempts_.clear();
  next_ = addresses_.size();
}

void ConnectRace::note_refusal(const asio::ip::tcp::endpoint& remote, int error) {
  ++failed_;
  if (weight(error) >= weight(error_) || error_ == 0) error_ = error;
  // What stopped the whole is always named, in place of another.
  if (named_.size() == kNamedMax && is_local_failure(error)) named_.pop_back();
  if (named_.size() < kNamedMax) named_.push_back(endpoint_text(remote) + ": " + errno_text(error));
}

std::string ConnectRace::refusals() const {
  std::string text;
  for (const std::string& refusal : named_) text += (text.empty() ? "" : ", ") + refusal;
  if (failed_ > named_.size()) {
    text += ", and " + std::to_string(failed_ - named_.size()) + " more of " + std::to_string(addresses_.size()) +
            " addresses";
  }
  return text;
}

std::string ConnectRace::under_way() const {
  if (attempts_.empty()) return std::string();
  std::string text = endpoint_text(attempts_.front()->remote);
  if (attempts_.size() > 1) text += " and " + std::to_string(attempts_.size() - 1) + " more";
  return text;
}

}  // namespace cwire
