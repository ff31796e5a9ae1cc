/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the programs remember between packets. User space reads and deletes, never inserts. */
#ifndef TT_MAPS_FLOW_H
#define TT_MAPS_FLOW_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi/common.h"
#include "abi/flow.h"

/* Slots of the flow cache per CPU: a power of two. */
const volatile __u32 tt_cache_slots = 4096;

/* Connections: the authority. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 262144);
	__type(key, struct tt_flow_key);
	__type(value, struct tt_flow);
} tt_flows SEC(".maps");

/* Ports of datagrams whose first fragment went by. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct tt_fragment_key);
	__type(value, struct tt_fragment);
} tt_fragments SEC(".maps");

/* tt_cache_slots for each possible CPU, one after the other: a CPU beyond max_entries runs without a cache. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct tt_cached_flow);
} tt_flow_cache SEC(".maps");

#endif
