// Which places of the flow table hold a flow, read from its index while programs write to it: an eighth of the memory.
#pragma once

#include <linux/types.h>

#include <atomic>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

extern "C" {
#include "abi/common.h"
#include "abi/flow.h"
}

#include "flow_read.h"

namespace tortie {

using PlacesTaken = std::bitset<TT_FLOW_REGION_ENTRIES>;

/**
 * Of a region (struct tt_flow_region). A flow that comes while this reads may be missing, and one that goes may still be among them.
 */
inline PlacesTaken TakenPlaces(const uint8_t* region) {
  const auto* buckets = reinterpret_cast<const tt_flow_bucket*>(region + TT_FLOW_REGION_HEAD);
  PlacesTaken taken;
  for (const auto* bucket = buckets; bucket != buckets + TT_FLOW_REGION_BUCKETS; bucket++) {
    uint64_t words[sizeof(bucket->tag) / sizeof(uint64_t)];
    uint64_t any = 0;
    for (size_t i = 0; i < std::size(words); i++) any |= words[i] = LoadWord(&bucket->tag[i * sizeof(words[0]) / sizeof(bucket->tag[0])]);
    if (any == 0) continue;
    // The tag is written last.
    std::atomic_thread_fence(std::memory_order_acquire);
    uint16_t tags[TT_FLOW_WAYS];
    static_assert(sizeof(tags) == sizeof(words));
    memcpy(tags, words, sizeof(tags));
    for (size_t way = 0; way < TT_FLOW_WAYS; way++) {
      if (tags[way] != 0) taken.set(__atomic_load_n(&bucket->entry[way], __ATOMIC_RELAXED) % TT_FLOW_REGION_ENTRIES);
    }
  }
  return taken;
}

}  // namespace tortie
