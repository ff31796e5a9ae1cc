/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The compiled policy. Written by user space only, through mmap. */
#ifndef TT_MAPS_HEAP_H
#define TT_MAPS_HEAP_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi/common.h"
#include "abi/heap.h"
#include "lib/words.h"

/* Words of tt_heap. */
const volatile __u32 tt_heap_words = 4096 * TT_HEAP_BLOCK_WORDS;

/* Every compiled table, as regions of 32-bit words. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct tt_heap_block));
} tt_heap SEC(".maps");

/* Nodes of the IPv6 address tries. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct tt_v6_node);
} tt_v6_nodes SEC(".maps");

/* Which compiled state is in force, and the settings that apply to every packet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tt_state);
} tt_state SEC(".maps");

static __always_inline struct tt_state *tt_state_here(void)
{
	const __u32 only = 0;

	return bpf_map_lookup_elem(&tt_state, &only);
}

#endif
