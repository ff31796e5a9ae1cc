// Brings to the flow table what waits in flow caches. Knows no JavaScript.
#pragma once

#include <cstdint>
#include <vector>

namespace tortie {

struct FlushResult {
  uint32_t flushed = 0;
  int error = 0;  // errno; 0 = none. Slots of CPUs where this process may not run are no error.
};

/**
 * Has tt_flush_cache empty these slots, in order of their numbers, each on the CPU whose it is. Not on this thread, whose CPUs
 * stay what they are: nobody could give them back as they were, for what can be read of them leaves out those that are offline.
 */
FlushResult FlushSlots(int program, const std::vector<uint32_t>& slots, uint32_t slots_per_cpu);

}  // namespace tortie
