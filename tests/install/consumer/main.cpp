// A stranger's C++ program: starts a manager, takes its events up to SHUTDOWN, and prints the version.
#include <chargewire/chargewire.hpp>
#include <iostream>

int main() {
  chargewire::Manager manager(chargewire::Config().io_threads(1));
  manager.shutdown();
  manager.run([](const chargewire::Event&) {});
  std::cout << "chargewire " << chargewire::version() << '\n';
}
