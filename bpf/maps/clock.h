/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The kernel's two clocks, side by side: user space has no other way to read jiffies or to learn HZ. */
#ifndef TT_MAPS_CLOCK_H
#define TT_MAPS_CLOCK_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi/common.h"
#include "abi/event.h"

/* The last reading that tt_clock took. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tt_clock_reading);
} tt_clocks SEC(".maps");

#endif
