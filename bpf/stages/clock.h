/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Reads both of the kernel's clocks for user space. No packet passes here. */
#ifndef TT_STAGES_CLOCK_H
#define TT_STAGES_CLOCK_H

#include "maps/clock.h"

/* 0 or -1. */
static __always_inline int tt_clock_read(void)
{
	const __u32 only = 0;
	struct tt_clock_reading *reading = bpf_map_lookup_elem(&tt_clocks, &only);

	if (!reading)
		return -1;
	reading->jiffies = bpf_jiffies64();
	reading->monotonic_ns = bpf_ktime_get_ns();
	return 0;
}

#endif
