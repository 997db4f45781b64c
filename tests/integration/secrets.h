#pragma once

#include <string>

// No secret ever appears in what the library says. The fixture keeps each secret that a test configures, and searches
// each event, log, error and statistic for it, in every test.
namespace fixture::secrets {

// Remembers the value of an option, if it is a secret that could not occur by chance: at least 12 characters.
void keep_option(const std::string& key, const std::string& value);
// True if a secret that is kept stands in it: as it was given, as the bytes that its hex digits mean, or in base64
// behind whatever.
bool occurs(const std::string& said);
// Ends the program, with a message, if so. `where` says what was searched.
void search(const std::string& said, const char* where);

}  // namespace fixture::secrets
