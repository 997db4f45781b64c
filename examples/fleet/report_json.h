#pragma once

#include <ostream>

#include "run_record.h"

namespace fleet {

// The run as one JSON object, by report.schema.json. ASCII; whatever was no UTF-8 is replaced.
void write_json(const RunRecord& record, std::ostream& out);

}  // namespace fleet
