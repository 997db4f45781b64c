#pragma once

#include <ostream>

#include "run_record.h"

namespace fleet {

// The run as a page that needs nothing but a browser: it is made of the run's JSON, and of a script that draws it.
void write_html(const RunRecord& record, std::ostream& out);

}  // namespace fleet
