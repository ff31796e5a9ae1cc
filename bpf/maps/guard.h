/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The guard's table and counters. The table is written by user space only, through mmap. */
#ifndef TT_MAPS_GUARD_H
#define TT_MAPS_GUARD_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi/common.h"
#include "abi/event.h"
#include "abi/guard.h"
#include "abi/heap.h"
#include "lib/words.h"

/* Words of tt_guard_heap, and its shape: see lib/words.h. */
const volatile __u32 tt_guard_words = 1024 * TT_HEAP_BLOCK_WORDS;
const volatile __u32 tt_guard_is_flat = 0;

/* Two tables beside each other, one of them in force. The first block stays zero: what is not there yet passes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1024);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct tt_heap_block));
} tt_guard_heap SEC(".maps");

/* Which table is in force. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tt_guard_state);
} tt_guard_state SEC(".maps");

/* Packets and bytes by enum tt_guard_reason. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TT_GUARD_REASON_ROOM);
	__type(key, __u32);
	__type(value, struct tt_counter);
} tt_guard_drops SEC(".maps");

/* By ifindex: interfaces on which more is done than looking at sources. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct tt_guard_interface);
} tt_guard_ifaces SEC(".maps");

#endif
