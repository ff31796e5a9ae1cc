/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Room for the packet in hand and what is made of it. Of no interest to user space. */
#ifndef TT_MAPS_PACKET_H
#define TT_MAPS_PACKET_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi/common.h"
#include "abi/flow.h"
#include "lib/packet.h"

/*
 * The packet that this CPU is working on. In a map, not on the stack: global functions find it there without pointer
 * arguments (kernel 5.12), and are then verified once instead of once per way that leads to them. Programs of this
 * type run with softirqs off, so none interrupts another.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tt_packet);
} tt_packets SEC(".maps");

static __always_inline struct tt_packet *tt_packet_here(void)
{
	const __u32 only = 0;

	return bpf_map_lookup_elem(&tt_packets, &only);
}

#endif
