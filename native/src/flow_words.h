// Whose words speak for a flow, and which of them are told.
#pragma once

#include <linux/types.h>

#include <cstdint>

extern "C" {
#include "abi/common.h"
#include "abi/flow.h"
#include "abi/heap.h"
}

namespace tortie {

/** Only hooks of the host have met it: its lists alone say what becomes of it. */
inline bool IsOfHost(const tt_flow& flow) { return flow.flags & TT_FLOW_UNMET; }

inline bool IsDenied(const tt_flow& flow) {
  const uint32_t words = IsOfHost(flow) ? flow.host_word : flow.egress_word | flow.ingress_word;
  return words & TT_WORD_DENY;
}

inline bool IsOther(uint32_t before, uint32_t now) { return before != 0 && now != 0 && before != now; }

/**
 * It is another policy that lets it pass. A workload's side that is not judged at the moment has not changed its mind; of the
 * host's lists none may be responsible any more.
 */
inline bool HasTurned(const tt_flow& now, const tt_flow_told& told) {
  if (IsOfHost(now)) return now.host_word != told.ingress_word;
  return IsOther(told.egress_word, now.egress_word) || IsOther(told.ingress_word, now.ingress_word);
}

inline void TakeWords(const tt_flow& flow, tt_flow_told* told) {
  if (IsOfHost(flow)) {
    told->ingress_word = flow.host_word;
    return;
  }
  if (flow.egress_word != 0) told->egress_word = flow.egress_word;
  if (flow.ingress_word != 0) told->ingress_word = flow.ingress_word;
}

/** Those that have allowed what is told. Of a flow of the host's none but the one that denies it may be known. */
inline void PutWords(const tt_flow& flow, const tt_flow_told& told, tt_flow_report* report) {
  report->host_word = flow.host_word;
  if (!IsOfHost(flow)) {
    report->egress_word = told.egress_word;
    report->ingress_word = told.ingress_word;
  } else if ((told.flags & TT_TOLD_START) || told.ingress_word != 0) {
    report->host_word = told.ingress_word;
  }
}

}  // namespace tortie
