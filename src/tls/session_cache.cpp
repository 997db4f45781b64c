#include "tls/session_cache.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <utility>

namespace cwire {

namespace {

// The server would not accept it any more.
bool is_over(const SSL_SESSION* session, std::time_t date) {
  const long age_s = static_cast<long>(date) - SSL_SESSION_get_time(session);
  return age_s < 0 || age_s >= SSL_SESSION_get_timeout(session);
}

}  // namespace

void FreeSession::operator()(ssl_session_st* session) const { SSL_SESSION_free(session); }

SessionCache::Offer SessionCache::take(const std::string& endpoint, TimePoint now, std::time_t date) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Offer offer;
  const auto found = by_endpoint_.find(endpoint);
  if (found == by_endpoint_.end()) return offer;
  Sessions& sessions = found->second;
  while (!sessions.empty()) {
    Entry& newest = sessions.back();
    if (now - newest.verified.at < kTrust && date < newest.verified.good_until &&
        SSL_SESSION_is_resumable(newest.session.get()) == 1 && !is_over(newest.session.get(), date)) {
      offer.order = newest.order;
      offer.verified = newest.verified;
      // RFC 8446 C.4: a ticket that is used twice links two connections to whoever listens. So each is used once while
      // there are others. The last one stays: when all stations come back at once, it is what spares them a full
      // handshake, and what it tells is only what their common address tells too.
      const bool once = SSL_SESSION_get_protocol_version(newest.session.get()) >= TLS1_3_VERSION;
      if (once && sessions.size() > 1) {
        offer.session = std::move(newest.session);
        sessions.pop_back();
      } else {
        // A copy: a connection that ends without close_notify spoils the session that it used.
        offer.session.reset(SSL_SESSION_dup(newest.session.get()));
      }
      return offer;
    }
    sessions.pop_back();
  }
  by_endpoint_.erase(found);
  return offer;
}

void SessionCache::put(const std::string& endpoint, SessionPtr session, const Verified& verified) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto found = by_endpoint_.find(endpoint);
  if (found == by_endpoint_.end()) {
    Sessions none;
    none.reserve(kSessionsMax);  // what may throw comes before an endpoint without sessions could stay
    found = by_endpoint_.emplace(endpoint, std::move(none)).first;
  }
  Sessions& sessions = found->second;
  if (sessions.size() == kSessionsMax) sessions.erase(sessions.begin());
  sessions.push_back(Entry{std::move(session), ++order_, verified});
  if (by_endpoint_.size() > kEndpointsMax) forget_oldest_endpoint();
}

void SessionCache::drop(const std::string& endpoint, std::uint64_t order) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = by_endpoint_.find(endpoint);
  if (found == by_endpoint_.end()) return;
  Sessions& sessions = found->second;
  // A ticket that is used once has left already.
  const auto used = std::find_if(sessions.begin(), sessions.end(), [&](const Entry& e) { return e.order == order; });
  if (used != sessions.end()) sessions.erase(used);
  if (sessions.empty()) by_endpoint_.erase(found);
}

void SessionCache::drop_with_older(const std::string& endpoint, std::uint64_t order) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = by_endpoint_.find(endpoint);
  if (found == by_endpoint_.end()) return;
  Sessions& sessions = found->second;
  const auto newer = std::find_if(sessions.begin(), sessions.end(), [&](const Entry& e) { return e.order > order; });
  sessions.erase(sessions.begin(), newer);
  if (sessions.empty()) by_endpoint_.erase(found);
}

std::size_t SessionCache::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::size_t size = 0;
  for (const auto& endpoint : by_endpoint_) size += endpoint.second.size();
  return size;
}

void SessionCache::forget_oldest_endpoint() {
  by_endpoint_.erase(std::min_element(by_endpoint_.begin(), by_endpoint_.end(), [](const auto& a, const auto& b) {
    return a.second.back().order < b.second.back().order;
  }));
}

}  // namespace cwire
