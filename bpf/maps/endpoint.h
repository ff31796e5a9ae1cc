/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Who is where. Written by user space only. */
#ifndef TT_MAPS_ENDPOINT_H
#define TT_MAPS_ENDPOINT_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi/common.h"
#include "abi/endpoint.h"

/* Entries of tt_endpoints: a power of two. */
const volatile __u32 tt_endpoint_slots = 4096;

/* Endpoints by host-side ifindex: an open-addressed table in an array, because the JIT inlines array lookups. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct tt_endpoint);
} tt_endpoints SEC(".maps");

/* Which local endpoint owns an address. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct tt_address);
	__type(value, struct tt_local);
} tt_addresses SEC(".maps");

/* What endpoints may send from besides their first addresses: 1, or 0 for what a shorter prefix must not include. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct tt_source_key);
	__type(value, __u32);
} tt_sources SEC(".maps");

#endif
