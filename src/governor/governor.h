#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "governor/endpoint_governor.h"

namespace cwire {

// Who asks for permits: a station.
class Applicant : public Permit {
 public:
  // It is its turn, after it had to wait. On whatever thread made room, with the endpoint's lock held: leave a note.
  virtual void permitted() noexcept = 0;

 protected:
  ~Applicant() = default;
};

// What paces the connects of a manager: an EndpointGovernor for each endpoint that its stations go to, for all I/O
// threads together. Every function may be called from any thread.
class Governor {
 public:
  class Endpoint;

  // `keeper_wanted`: run() is to be called soon, on one thread and always the same. It may be called with locks held.
  Governor(const GovernorSettings& settings, std::function<void()> keeper_wanted);

  // The endpoint of that name, "wss://csms.example:443", which lives as long as somebody holds it.
  std::shared_ptr<Endpoint> attach(const std::string& name);
  std::vector<std::shared_ptr<Endpoint>> endpoints() const;
  // Null: nobody holds one of that name.
  std::shared_ptr<Endpoint> find(const std::string& name) const;

  // By hand, also before a station has gone there.
  void isolate(const std::string& name, TimePoint now);
  void reset(const std::string& name, TimePoint now);

  // ---- for the keeper ----
  struct Change {
    std::string endpoint;
    CircuitBreaker::State from, to;
    TimePoint opens_until;
  };
  // Lets those go whose time has come. Returns when to call it again.
  TimePoint run(TimePoint now);
  // What the breakers did since the last call, oldest first.
  std::vector<Change> take_changes();

 private:
  void want_run_at(TimePoint time);
  void note(const std::string& endpoint, CircuitBreaker::State from, CircuitBreaker::State to,
            TimePoint opens_until) noexcept;

  const EndpointGovernor::Settings settings_;
  const std::function<void()> keeper_wanted_;
  mutable std::mutex mutex_;  // of what follows; may be taken with an endpoint's lock held, never the other way round
  std::map<std::string, std::weak_ptr<Endpoint>> endpoints_;
  std::size_t endpoints_kept_ = 0;                             // living ones when they were last counted
  std::map<std::string, std::shared_ptr<Endpoint>> isolated_;  // stay so, also while no station is there
  std::random_device entropy_;
  std::mutex keeper_mutex_;  // of what follows; likewise
  TimePoint run_at_ = kNever;
  bool running_ = false;  // run() is under way, and sees for itself what is wanted meanwhile
  std::vector<Change> changes_;
};

class Governor::Endpoint {
 public:
  Endpoint(Governor& governor, std::string name, std::uint32_t seed);

  // True: it may begin at once. Else permitted() follows, unless it withdraws. Asking again changes nothing.
  bool ask(Applicant& applicant, Priority priority, TimePoint now);
  bool permits(const Applicant& applicant) const;
  // As EndpointGovernor's.
  void ended(Applicant& applicant, Outcome outcome, TimePoint now);
  void withdraw(Applicant& applicant, TimePoint now);
  void lost(const Applicant& applicant, TimePoint now);

  struct Numbers {
    CircuitBreaker::State state;
    TimePoint opens_until;  // kNever unless open
    std::uint32_t handshakes, handshakes_limit, attempts, failures;
    std::size_t waiting[kPriorities];
  };
  Numbers numbers(TimePoint now);
  const std::string& name() const { return name_; }

 private:
  friend class Governor;
  void isolate(TimePoint now);
  void reset(TimePoint now);
  void run(TimePoint now);
  bool serve(TimePoint now, const Applicant* asking);

  Governor& governor_;
  const std::string name_;
  mutable std::mutex mutex_;
  EndpointGovernor rules_;
  CircuitBreaker::State noted_ = CircuitBreaker::State::closed;
};

}  // namespace cwire
