#pragma once

#include "metrics/counters.h"

namespace cwire::bounds {

// From a CSMS in the next rack to one behind a modem: 1, 2.5 and 5 of each power of ten.
inline constexpr Bound kLatencyList[] = {{500'000, "0.0005"},    {1'000'000, "0.001"},     {2'500'000, "0.0025"},
                                         {5'000'000, "0.005"},   {10'000'000, "0.01"},     {25'000'000, "0.025"},
                                         {50'000'000, "0.05"},   {100'000'000, "0.1"},     {250'000'000, "0.25"},
                                         {500'000'000, "0.5"},   {1'000'000'000, "1.0"},   {2'500'000'000, "2.5"},
                                         {5'000'000'000, "5.0"}, {10'000'000'000, "10.0"}, {30'000'000'000, "30.0"}};
inline constexpr Bounds kLatency(kLatencyList);

// From at once to an endpoint that is down for minutes; and how long an open connection may be silent.
inline constexpr Bound kWaitList[] = {{10'000'000, "0.01"},      {100'000'000, "0.1"},       {1'000'000'000, "1.0"},
                                      {5'000'000'000, "5.0"},    {10'000'000'000, "10.0"},   {30'000'000'000, "30.0"},
                                      {60'000'000'000, "60.0"},  {120'000'000'000, "120.0"}, {300'000'000'000, "300.0"},
                                      {900'000'000'000, "900.0"}};
inline constexpr Bounds kWait(kWaitList);

// What the application does with a batch of events.
inline constexpr Bound kHandlerList[] = {{10'000, "1e-05"},    {50'000, "5e-05"},     {100'000, "0.0001"},
                                         {500'000, "0.0005"},  {1'000'000, "0.001"},  {5'000'000, "0.005"},
                                         {10'000'000, "0.01"}, {50'000'000, "0.05"},  {100'000'000, "0.1"},
                                         {500'000'000, "0.5"}, {1'000'000'000, "1.0"}};
inline constexpr Bounds kHandler(kHandlerList);

// OCPP's messages: a Heartbeat has 20 bytes, a firmware's worth of meter values many thousands.
inline constexpr Bound kMessageList[] = {
    {64, "64.0"},     {128, "128.0"},     {256, "256.0"},     {512, "512.0"},       {1024, "1024.0"},
    {4096, "4096.0"}, {16384, "16384.0"}, {65536, "65536.0"}, {262144, "262144.0"}, {1048576, "1048576.0"}};
inline constexpr Bounds kMessage(kMessageList);

inline constexpr Bound kBatchList[] = {{1, "1.0"},     {2, "2.0"},       {4, "4.0"},       {8, "8.0"},
                                       {16, "16.0"},   {32, "32.0"},     {64, "64.0"},     {128, "128.0"},
                                       {256, "256.0"}, {1024, "1024.0"}, {4096, "4096.0"}, {16384, "16384.0"}};
inline constexpr Bounds kBatch(kBatchList);

inline constexpr Bound kFlapsList[] = {{0, "0.0"},   {1, "1.0"},   {2, "2.0"},    {5, "5.0"},
                                       {10, "10.0"}, {50, "50.0"}, {100, "100.0"}};
inline constexpr Bounds kFlaps(kFlapsList);

}  // namespace cwire::bounds
