// See flow_flush.h.
#include "flow_flush.h"

#include <bpf/bpf.h>
#include <linux/pkt_cls.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <functional>
#include <system_error>
#include <thread>

namespace tortie {
namespace {

/** Of the packet that lists slots: see bpf/stages/flush.h. */
constexpr size_t kListAt = 16;
constexpr size_t kListSlots = 32;
/** Of a run that something interrupted, though no signal does: a freezer, or whoever traces us. */
constexpr int kMostRuns = 16;

using Slot = std::vector<uint32_t>::const_iterator;

/** False: the CPU is offline or not there, or not this process's to run on. */
bool MoveTo(uint32_t cpu) {
  constexpr size_t kBits = sizeof(unsigned long) * CHAR_BIT;
  std::vector<unsigned long> mask(cpu / kBits + 1);
  mask[cpu / kBits] = 1UL << cpu % kBits;
  const size_t size = mask.size() * sizeof(mask[0]);
  return sched_setaffinity(0, size, reinterpret_cast<const cpu_set_t*>(mask.data())) == 0;
}

/**
 * Has the program empty the slots of one list, all of the CPU that this thread is on. 1, 0 if the thread is there no more, or a
 * negative errno. Whatever an interrupted run has done it need not do again.
 */
int FlushList(int program, Slot first, Slot end) {
  uint8_t list[kListAt + kListSlots * sizeof(uint32_t)];
  memset(list, 0xff, sizeof(list));
  memcpy(list + kListAt, &*first, static_cast<size_t>(end - first) * sizeof(uint32_t));
  for (int run = 0; run < kMostRuns; run++) {
    bpf_test_run_opts options = {};
    options.sz = sizeof(options);
    options.data_in = list;
    options.data_size_in = sizeof(list);
    options.repeat = 1;
    if (bpf_prog_test_run_opts(program, &options) == 0) return options.retval == TC_ACT_OK ? 1 : 0;
    if (errno != EINTR) return -errno;
  }
  return 0;
}

void FlushOnThisThread(int program, const std::vector<uint32_t>& slots, uint32_t slots_per_cpu, FlushResult* result) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  for (Slot first = slots.begin(); first != slots.end();) {
    const uint32_t cpu = *first / slots_per_cpu;
    const Slot last = std::find_if(first, slots.end(), [=](uint32_t slot) { return slot / slots_per_cpu != cpu; });
    const bool is_there = MoveTo(cpu);
    for (Slot at = first; is_there && at != last;) {
      const Slot end = at + std::min<ptrdiff_t>(kListSlots, last - at);
      const int done = FlushList(program, at, end);
      if (done < 0) result->error = -done;
      if (done > 0) result->flushed += static_cast<uint32_t>(end - at);
      at = end;
    }
    first = last;
  }
}

}  // namespace

FlushResult FlushSlots(int program, const std::vector<uint32_t>& slots, uint32_t slots_per_cpu) {
  FlushResult result;
  if (slots.empty()) return result;
  try {
    std::thread(FlushOnThisThread, program, std::cref(slots), slots_per_cpu, &result).join();
  } catch (const std::system_error& error) {
    result.error = error.code().value();
  }
  return result;
}

}  // namespace tortie
