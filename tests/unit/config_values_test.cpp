#include <catch2/catch.hpp>

#include "config/values.h"

using namespace cwire;
using namespace std::chrono_literals;

TEST_CASE("durations take ms, s, m and h, also combined") {
  CHECK(parse_duration("250ms") == Duration(250ms));
  CHECK(parse_duration("30s") == Duration(30s));
  CHECK(parse_duration("5m") == Duration(5min));
  CHECK(parse_duration("24h") == Duration(24h));
  CHECK(parse_duration("1m30s") == Duration(90s));
  CHECK(parse_duration("1h2m3s4ms") == Duration(1h + 2min + 3s + 4ms));
  CHECK(parse_duration("0") == Duration(0s));
  CHECK(parse_duration("0s") == Duration(0s));
}

TEST_CASE("what is no duration is refused") {
  for (const char* text : {"", "30", "s", "-30s", "+30s", "1.5s", "30 s", " 30s", "30s ", "30S", "30sec", "30s30",
                           "1s1m", "1s2s", "1m1m", "99999999999999999999s", "18446744073709551615h", "87601h", "abc"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("durations are written so that they read well and back") {
  CHECK(duration_text(0s) == "0s");
  CHECK(duration_text(60s) == "60s");
  CHECK(duration_text(90s) == "90s");
  CHECK(duration_text(1500ms) == "1500ms");
  CHECK(duration_text(2min) == "2m");
  CHECK(duration_text(150s) == "2m30s");
  CHECK(duration_text(24h) == "24h");
  CHECK(duration_text(1h + 4ms) == "1h4ms");
  for (const Duration d : {Duration(1ms), Duration(119999ms), Duration(120001ms), Duration(25h + 61s)}) {
    CHECK(parse_duration(duration_text(d)) == d);
  }
}

TEST_CASE("sizes take bytes, binary and decimal units") {
  CHECK(parse_size("512") == 512u);
  CHECK(parse_size("512B") == 512u);
  CHECK(parse_size("64KiB") == 65536u);
  CHECK(parse_size("1 MiB") == 1048576u);
  CHECK(parse_size("1mib") == 1048576u);
  CHECK(parse_size("2GiB") == 2147483648u);
  CHECK(parse_size("64KB") == 64000u);
  CHECK(parse_size("1MB") == 1000000u);
  for (const char* text :
       {"", "B", "-1", "1.5MiB", "1K", "1MiBs", " 1", "18446744073709551616", "18446744073709551615KiB"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text));
  }
  CHECK(size_text(1048576) == "1MiB");
  CHECK(size_text(16384) == "16KiB");
  CHECK(size_text(100) == "100B");
  CHECK(size_text(0) == "0B");
  CHECK(size_text(1048577) == "1048577B");
}

TEST_CASE("shares are percents or fractions, whatever the locale") {
  CHECK(*parse_ratio("20%") == Approx(0.2));
  CHECK(*parse_ratio("12.5%") == Approx(0.125));
  CHECK(*parse_ratio("0.2") == Approx(0.2));
  CHECK(*parse_ratio("1") == Approx(1.0));
  CHECK(*parse_ratio("0%") == 0.0);
  for (const char* text : {"", "%", "-1%", "20 %", "1,5%", ".5", "5.", "1e3", "nan", "inf", "99999%", "0.1.2"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_ratio(text));
  }
  CHECK(ratio_text(0.2) == "20%");
  CHECK(ratio_text(0.125) == "12.5%");
  CHECK(ratio_text(0) == "0%");
  CHECK(ratio_text(1) == "100%");
}

TEST_CASE("bools and integers") {
  CHECK(parse_bool("true") == true);
  CHECK(parse_bool("False") == false);
  for (const char* text : {"", "1", "yes", "on", "truee"}) CHECK_FALSE(parse_bool(text));
  CHECK(parse_integer("0") == 0u);
  CHECK(parse_integer("18446744073709551615") == 18446744073709551615u);
  for (const char* text : {"", "-1", "+1", "1.0", "0x10", " 1", "1_000", "18446744073709551616"}) {
    CHECK_FALSE(parse_integer(text));
  }
}

TEST_CASE("what a message quotes stays on one line and short") {
  CHECK(quoted("abc") == "\"abc\"");
  CHECK(quoted("a\r\nb\x1b[0m\xff") == "\"a??b?[0m?\"");
  CHECK(quoted("\xc3\xa9") == "\"\xc3\xa9\"");
  CHECK(quoted(std::string(41, 'x')) == "\"" + std::string(40, 'x') + "...\"");
}
