/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What user space has told of flows. The programs that judge packets do not know of it. */
#ifndef TT_MAPS_TOLD_H
#define TT_MAPS_TOLD_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi/flow.h"

/* One for each place of the flow table, by the number that struct tt_flow_event.place has; there while flow logs are kept. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 32 * TT_FLOW_REGION_ENTRIES);
	__type(key, __u32);
	__type(value, struct tt_flow_told);
} tt_flow_told SEC(".maps");

#endif
