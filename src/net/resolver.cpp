#include "net/resolver.h"

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <deque>
#include <exception>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <thread>
#include <utility>

#include "net/poller.h"
#include "net/signals.h"

namespace cwire {

// One caller that waits for an answer.
struct Resolver::Waiting {
  IoThread& thread;  // there as long as this is among those who wait
  const std::string host;
  Completion done;  // of `thread` only; empty once cancelled or answered

  Waiting(IoThread& t, const std::string& h, Completion d) : thread(t), host(h), done(std::move(d)) {}
};

// What the lookup threads share with the Resolver and its queries, and keep alive.
struct Resolver::Lookups {
  struct Name {
    std::set<std::shared_ptr<Waiting>> waiting;
    bool asked = false;    // queued, or being looked up
    TimePoint asked_at{};  // by the first of those who wait
    // The last answer.
    Failure failure;
    Addresses addresses;
    TimePoint answered_at = TimePoint::min();
    TimePoint kept_until = TimePoint::min();  // it came late, and serves everybody

    bool answers(TimePoint due, TimePoint now) const {
      if (now < kept_until) return true;
      return answered_at != TimePoint::min() && answered_at >= due && now - answered_at < kAnswerShared;
    }
    bool is_over(TimePoint now) const { return !asked && waiting.empty() && !answers(TimePoint::min(), now); }
  };
  using Names = std::map<std::string, Name>;

  const Lookup lookup;
  std::mutex mutex;  // guards what follows. An I/O thread that somebody waits on cannot go away while it is held
  Names names;
  std::size_t names_kept = 0;         // when they were last looked through
  std::deque<Names::iterator> queue;  // not begun yet
  int threads = 0;

  explicit Lookups(Lookup l) : lookup(std::move(l)) {}

  void ask(Names::iterator name, const std::shared_ptr<Lookups>& self);
  void serve();
  void finish(Names::iterator name, const Failure& failure, Addresses addresses);
  Failure look_up(const std::string& host, Addresses& addresses) const;
  void forget_old(TimePoint now);
  static void answer(const std::shared_ptr<Waiting>& waiting, Failure failure, Addresses addresses);
};

void Resolver::Lookups::ask(Names::iterator name, const std::shared_ptr<Lookups>& self) {
  if (threads < kThreadsMax) {
    const BlockedSignals blocked;
    try {
      std::thread([self] { self->serve(); }).detach();
      ++threads;
    } catch (const std::system_error& error) {
      // Those that run serve this name too.
      if (threads == 0) {
        throw Error(
            CWIRE_E_INTERNAL,
            "no thread to resolve names: " + error.code().message() + "; raise the limit of processes (ulimit -u)",
            FailurePhase::resolve, os_error(error.code().value()));
      }
    }
  }
  queue.push_back(name);
  name->second.asked = true;
}

// The life of a thread.
void Resolver::Lookups::serve() {
  name_this_thread("cwire-resolver");
  std::unique_lock<std::mutex> lock(mutex);
  while (!queue.empty()) {
    const Names::iterator name = queue.front();
    queue.pop_front();
    if (name->second.waiting.empty()) {
      // A queue of names whose stations have given up long ago must not delay the others.
      names.erase(name);
      continue;
    }
    lock.unlock();
    Addresses addresses;
    const Failure failure = look_up(name->first, addresses);
    lock.lock();
    finish(name, failure, std::move(addresses));
  }
  --threads;
}

Failure Resolver::Lookups::look_up(const std::string& host, Addresses& addresses) const {
  try {
    std::error_code error;
    addresses = lookup(host, error);
    if (!error && !addresses.empty()) return Failure();
    return failure_with(CWIRE_E_DIAL, FailurePhase::resolve, {}, [&] {
      return "dial: resolving " + host + ": " + (error ? error.message() : "the name has no addresses") +
             "; check the host name in the URL and this machine's name server";
    });
  } catch (const std::bad_alloc&) {
    return Failure(CWIRE_E_NO_MEMORY, "no memory");
  } catch (const std::exception& error) {
    return failure_with(CWIRE_E_INTERNAL, FailurePhase::resolve, {},
                        [&] { return "dial: resolving " + host + ": " + error.what(); });
  } catch (...) {
    return failure_with(CWIRE_E_INTERNAL, FailurePhase::resolve, {},
                        [&] { return "dial: resolving " + host + ": unknown exception"; });
  }
}

void Resolver::Lookups::finish(Names::iterator name, const Failure& failure, Addresses addresses) {
  const TimePoint now = Clock::now();
  const auto answered = std::move(name->second.waiting);
  for (const auto& waiting : answered) {
    try {
      answer(waiting, failure, addresses);
    } catch (const std::bad_alloc&) {
      // Nothing can be told without memory; whoever waits has a deadline, and that will tell.
    }
  }
  if (failure.status == CWIRE_E_NO_MEMORY) {
    names.erase(name);  // that is no answer
    return;
  }
  Name& known = name->second;
  known.asked = false;
  known.answered_at = now;
  if (!failure && answered.empty() && now - known.asked_at >= kPatience) known.kept_until = now + kLateAnswerKept;
  known.addresses = std::move(addresses);
  known.failure = failure_with(failure.status, failure.phase, failure.code, [&] { return failure.message; });
}

// Now and then, so that a host per station does not make each lookup slower than the one before.
void Resolver::Lookups::forget_old(TimePoint now) {
  if (names.size() <= 2 * names_kept + 16) return;
  for (auto it = names.begin(); it != names.end();) it = it->second.is_over(now) ? names.erase(it) : std::next(it);
  names_kept = names.size();
}

void Resolver::Lookups::answer(const std::shared_ptr<Waiting>& waiting, Failure failure, Addresses addresses) {
  waiting->thread.post([waiting, failure = std::move(failure), addresses = std::move(addresses)]() mutable {
    // Called from a local, because it may destroy its Query.
    Completion done;
    done.swap(waiting->done);
    if (done) done(failure, std::move(addresses));
  });
}

Resolver::Query::Query(std::shared_ptr<Lookups> lookups, std::shared_ptr<Waiting> waiting)
    : lookups_(std::move(lookups)), waiting_(std::move(waiting)) {}

Resolver::Query::~Query() {
  {
    const std::lock_guard<std::mutex> lock(lookups_->mutex);
    const auto name = lookups_->names.find(waiting_->host);
    if (name != lookups_->names.end()) name->second.waiting.erase(waiting_);
  }
  Completion dropped;
  dropped.swap(waiting_->done);
}

Resolver::Resolver(Lookup lookup) : lookups_(std::make_shared<Lookups>(std::move(lookup))) {}

Resolver::~Resolver() {
  const std::lock_guard<std::mutex> lock(lookups_->mutex);
  lookups_->queue.clear();
}

std::unique_ptr<Resolver::Query> Resolver::resolve(IoThread& thread, const std::string& host, TimePoint due,
                                                   Completion done) {
  auto waiting = std::make_shared<Waiting>(thread, host, std::move(done));
  auto query = std::make_unique<Query>(lookups_, waiting);

  std::error_code not_literal;
  const auto address = asio::ip::make_address(host, not_literal);
  if (!not_literal) {
    Lookups::answer(waiting, Failure(), Addresses{address});
    return query;
  }

  const std::lock_guard<std::mutex> lock(lookups_->mutex);
  lookups_->forget_old(thread.now());
  const auto name = lookups_->names.try_emplace(host).first;
  if (name->second.answers(due, thread.now())) {
    Lookups::answer(waiting, name->second.failure, name->second.addresses);
    return query;
  }
  if (!name->second.asked) {
    lookups_->ask(name, lookups_);
    name->second.asked_at = thread.now();  // its patience begins in this turn
  }
  name->second.waiting.insert(std::move(waiting));
  return query;
}

Resolver::Addresses Resolver::getaddrinfo(const std::string& host, std::error_code& error) {
  asio::io_context context;
  asio::ip::tcp::resolver resolver(context);
  Addresses addresses;
  for (const auto& result : resolver.resolve(host, std::string(), asio::ip::tcp::resolver::flags(), error)) {
    const asio::ip::address address = result.endpoint().address();
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
  }
  return addresses;
}

}  // namespace cwire
