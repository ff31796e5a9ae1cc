/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the programs remember between packets. User space reads and deletes, never inserts. */
#ifndef TT_MAPS_FLOW_H
#define TT_MAPS_FLOW_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stddef.h>

#include "abi/common.h"
#include "abi/flow.h"

/* Slots of the flow cache per CPU: a power of two. */
const volatile __u32 tt_cache_slots = 4096;

/*
 * What slots of these programs bear beside their hook: another number than those of the programs before, whose slots go by
 * other tables. In the bits of a byte above the hook's.
 */
const volatile __u32 tt_cache_mark = 0;

/* Regions of the flow table, and entries that each of them uses: powers of two. */
const volatile __u32 tt_flow_regions = 32;
const volatile __u32 tt_flow_room = TT_FLOW_REGION_ENTRIES;

/* One value of tt_flows: a share of all keys, with an index of its own. */
struct tt_flow_region {
	__u32 hand; /* where the search for a place goes on */
	__u8 _pad[60];
	struct tt_flow_bucket bucket[TT_FLOW_REGION_BUCKETS];
	struct tt_flow_entry entry[TT_FLOW_REGION_ENTRIES];
};

_Static_assert(offsetof(struct tt_flow_region, bucket) == TT_FLOW_REGION_HEAD, "user space counts on it");
_Static_assert(sizeof(struct tt_flow_bucket) == 64 && sizeof(struct tt_flow_entry) == 128, "whole cache lines");

/*
 * Connections: the authority. An array, because the JIT inlines array lookups and user space reads it through mmap; the
 * index is small and places are given out in order, so that a new flow touches little memory that no cache holds.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 32);
	__type(key, __u32);
	__type(value, struct tt_flow_region);
} tt_flows SEC(".maps");

struct tt_flow_lock {
	struct bpf_spin_lock lock;
	__u8 _pad[4];
};

/* One for each region, held while a flow is entered. Of its own, because a map with locks in it cannot be mapped. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 32);
	__type(key, __u32);
	__type(value, struct tt_flow_lock);
} tt_flow_locks SEC(".maps");

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
