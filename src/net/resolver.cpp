#include "net/resolver.h"

#include <algorithm>
#include <asio/post.hpp>

#include "net/poller.h"
#include "net/signals.h"

namespace cwire {

// One caller that waits for an answer. `done` is empty once it is cancelled or answered.
struct Resolver::Waiting {
  Waiting(IoThread& t, Completion d) : thread(&t), done(std::move(d)) {}

  std::mutex mutex;  // held while `thread` is used, so that it cannot go away under a lookup that ends
  IoThread* thread;
  Completion done;

  static void answer(const std::shared_ptr<Waiting>& waiting, Failure failure, Addresses addresses) {
    const std::lock_guard<std::mutex> lock(waiting->mutex);
    if (!waiting->done) return;
    waiting->thread->post([waiting, failure = std::move(failure), addresses = std::move(addresses)]() mutable {
      Completion done;
      {
        const std::lock_guard<std::mutex> guard(waiting->mutex);
        done.swap(waiting->done);
      }
      // Called from a local, because it may destroy its Query.
      if (done) done(failure, std::move(addresses));
    });
  }
};

Resolver::Query::~Query() {
  Completion dropped;
  const std::lock_guard<std::mutex> lock(waiting_->mutex);
  dropped.swap(waiting_->done);
}

Resolver::Resolver(Lookup lookup) : lookup_(std::move(lookup)) {}

Resolver::~Resolver() {
  if (threads_ == nullptr) return;
  threads_->stop();
  threads_->join();
}

std::unique_ptr<Resolver::Query> Resolver::resolve(IoThread& thread, const std::string& host, std::uint16_t port,
                                                   Completion done) {
  auto asked = std::make_shared<Waiting>(thread, std::move(done));
  auto query = std::make_unique<Query>();
  query->waiting_ = asked;

  std::error_code not_literal;
  const auto address = asio::ip::make_address(host, not_literal);
  if (!not_literal) {
    Waiting::answer(asked, Failure(), Addresses{asio::ip::tcp::endpoint(address, port)});
    return query;
  }

  const Name name(host, port);
  const std::lock_guard<std::mutex> lock(mutex_);
  auto& waiting = lookups_[name];
  const bool first = waiting.empty();
  try {
    waiting.push_back(asked);
    if (first) start_lookup(name);
  } catch (...) {
    if (first) lookups_.erase(name);
    throw;
  }
  return query;
}

void Resolver::start_lookup(const Name& name) {
  if (threads_ == nullptr) {
    const BlockedSignals blocked;
    try {
      threads_ = std::make_unique<asio::thread_pool>(2);
    } catch (const std::system_error& error) {
      throw Error(
          CWIRE_E_INTERNAL,
          "no thread to resolve names: " + error.code().message() + "; raise the limit of processes (ulimit -u)",
          error.code().value());
    }
  }
  asio::post(*threads_, [this, name] { run_lookup(name); });
}

bool Resolver::still_wanted(const Name& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto lookup = lookups_.find(name);
  for (const auto& waiting : lookup->second) {
    const std::lock_guard<std::mutex> guard(waiting->mutex);
    if (waiting->done) return true;
  }
  lookups_.erase(lookup);
  return false;
}

void Resolver::run_lookup(const Name& name) {
  name_this_thread("cwire-resolver");
  // A queue of names whose stations have given up long ago must not delay the others.
  if (!still_wanted(name)) return;

  Failure failure;
  Addresses addresses;
  try {
    std::error_code error;
    addresses = lookup_(name.first, name.second, error);
    if (error || addresses.empty()) {
      failure = Failure(CWIRE_E_DIAL, "dial: resolving " + name.first + ": " +
                                          (error ? error.message() : "the name has no addresses") +
                                          "; check the host name in the URL and this machine's name server");
      addresses.clear();
    }
  } catch (const std::bad_alloc&) {
    failure = Failure(CWIRE_E_NO_MEMORY, "no memory");
  }

  std::vector<std::shared_ptr<Waiting>> answered;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto lookup = lookups_.find(name);
    answered.swap(lookup->second);
    lookups_.erase(lookup);
  }
  for (const auto& waiting : answered) {
    try {
      Waiting::answer(waiting, failure, addresses);
    } catch (const std::bad_alloc&) {
      // Nothing can be told without memory; whoever waits has a deadline, and that will tell.
    }
  }
}

Resolver::Addresses Resolver::getaddrinfo(const std::string& host, std::uint16_t port, std::error_code& error) {
  asio::io_context context;
  asio::ip::tcp::resolver resolver(context);
  // Numeric services need no /etc/services.
  const auto results = resolver.resolve(host, std::to_string(port), asio::ip::tcp::resolver::numeric_service, error);
  Addresses addresses;
  for (const auto& result : results) {
    if (std::find(addresses.begin(), addresses.end(), result.endpoint()) == addresses.end()) {
      addresses.push_back(result.endpoint());
    }
  }
  return addresses;
}

}  // namespace cwire
