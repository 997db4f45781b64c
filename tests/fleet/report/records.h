#pragma once

#include <run_record.h>

#include <string>
#include <utility>
#include <vector>

// Runs that never were, each for a side of the report: name and record.
std::vector<std::pair<std::string, fleet::RunRecord>> records();
