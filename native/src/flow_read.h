// Reading an entry of the flow table while programs write to it.
#pragma once

#include <linux/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

extern "C" {
#include "abi/common.h"
#include "abi/flow.h"
}

namespace tortie {

inline uint64_t LoadWord(const void* address) { return __atomic_load_n(static_cast<const uint64_t*>(address), __ATOMIC_RELAXED); }

/**
 * Copies an entry that programs may be writing to. An entry that changes hands is taken out of the index first, and has
 * another key or moment of creation when it is back: what is the same before and after was one flow. Its counts may be of
 * different moments, each of them right: what is missing comes with the next look.
 */
inline bool ReadEntry(const tt_flow_entry* entry, tt_flow_entry* copy) {
  constexpr size_t kWords = sizeof(tt_flow_entry) / sizeof(uint64_t);
  uint64_t words[kWords];
  const auto* source = reinterpret_cast<const uint64_t*>(entry);
  if (__atomic_load_n(&entry->named_by, __ATOMIC_ACQUIRE) == 0) return false;
  for (size_t i = 0; i < kWords; i++) words[i] = LoadWord(source + i);
  memcpy(copy, words, sizeof(words));
  std::atomic_thread_fence(std::memory_order_acquire);
  if (__atomic_load_n(&entry->named_by, __ATOMIC_RELAXED) != copy->named_by) return false;
  if (LoadWord(&entry->flow.created_jiffies) != copy->flow.created_jiffies) return false;
  for (size_t i = 0; i < sizeof(tt_flow_key) / sizeof(uint64_t); i++) {
    if (LoadWord(source + i) != words[i]) return false;
  }
  return true;
}

}  // namespace tortie
