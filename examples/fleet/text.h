#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Numbers as people read them.
namespace fleet {

std::string grouped(std::uint64_t number);                                     // 1,234,567
std::string counted(std::uint64_t number, const char* one, const char* many);  // 1 station, 9,998 stations
std::string short_count(std::uint64_t number);                                 // 123,456, 12.3 M
std::string rate_text(double per_second);                                      // 0.4, 33.1, 1,234
std::string latency_text(double seconds);                                      // 0.31 ms, 12.3 ms, 345 ms, 1.24 s
std::string bytes_text(double bytes);                                          // 12.3 MB
std::string clock_text(double seconds);                                        // 01:02:03, 2 d 01:02:03
std::string span_text(double seconds);                                         // 250 ms, 2.45 s, 1 min 40 s, 2 h
std::string percent_text(double share);                                        // 4.1 %

}  // namespace fleet
