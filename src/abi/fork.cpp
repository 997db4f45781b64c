#include "abi/fork.h"

#include <pthread.h>

#include <new>

#include "abi/config_object.h"
#include "governor/local_gate.h"
#include "manager/connection_pool.h"
#include "manager/manager.h"
#include "net/process_exit.h"
#include "station/station.h"

namespace cwire::abi {

namespace {

// Holding every lock of the process as a whole, so that the child finds none of them held, and nothing half-changed.
void before() {
  config_table().lock();
  manager_table().lock();
  pool_table().lock();
  station_table().lock();
  process_exit::lock();
  LocalGate::of_process().lock();
  ConfigObject::mutex().lock();
}

void release() {
  ConfigObject::mutex().unlock();
  LocalGate::of_process().unlock();
  process_exit::unlock();
  station_table().unlock();
  pool_table().unlock();
  manager_table().unlock();
  config_table().unlock();
}

void in_child() {
  LocalGate::of_process().abandon();
  process_exit::abandon();
  station_table().abandon();
  pool_table().abandon();
  manager_table().abandon();
  release();
}

}  // namespace

void prepare_for_fork() {
  static const bool prepared = [] {
    if (::pthread_atfork(before, release, in_child) != 0) throw std::bad_alloc();
    return true;
  }();
  static_cast<void>(prepared);
}

}  // namespace cwire::abi
