/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the guard's stages have in common: its state, and one counter for each packet that it keeps from the stack. */
#ifndef TT_STAGES_GUARD_COUNT_H
#define TT_STAGES_GUARD_COUNT_H

#include "maps/guard.h"

static __always_inline const struct tt_guard_state *tt_guard_state_here(void)
{
	const __u32 only = 0;

	return bpf_map_lookup_elem(&tt_guard_state, &only);
}

static __always_inline void tt_guard_count(__u32 reason, __u32 bytes)
{
	struct tt_counter *counter = bpf_map_lookup_elem(&tt_guard_drops, &reason);

	if (!counter)
		return;
	counter->packets++;
	counter->bytes += bytes;
}

static __always_inline int tt_guard_drop(__u32 reason, __u32 bytes)
{
	tt_guard_count(reason, bytes);
	return XDP_DROP;
}

#endif
