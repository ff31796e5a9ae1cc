/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the programs tell user space. */
#ifndef TT_MAPS_EVENT_H
#define TT_MAPS_EVENT_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi/common.h"
#include "abi/event.h"

/* Packets and bytes by reason. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TT_COUNTER_ROOM);
	__type(key, __u32);
	__type(value, struct tt_counter);
} tt_counters SEC(".maps");

/* struct tt_event records. No value type: libbpf would forward its size, and the kernel wants zero. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} tt_events SEC(".maps");

struct tt_budget {
	__u64 since_jiffies;
	__u64 spent;
};

/* Rate-limited events that this CPU sent in the running second. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tt_budget);
} tt_budgets SEC(".maps");

#endif
