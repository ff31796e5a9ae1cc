// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// What every fuzzer of this folder is told by its environment and tells its caller. Knows no target.
#ifndef TT_FUZZ_DRIVER_H
#define TT_FUZZ_DRIVER_H

#include <cstdint>
#include <string>
#include <vector>

namespace fuzz {

// Prints each packet and its end: for looking at a failure.
extern bool is_traced;

// Once, with the number of ends that a packet can have. Returns the files of TORTIE_FUZZ_WORLDS, at least one.
std::vector<std::string> begin_driver(uint32_t ends);

// One packet more, with this end.
void count_packet(uint32_t end);

// Tells now and then how many packets there were, and ends the process when there were enough.
void end_input();

} // namespace fuzz

#endif
