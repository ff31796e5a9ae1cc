/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Room for the packet in hand and what is made of it. Of no interest to user space. */
#ifndef TT_MAPS_PACKET_H
#define TT_MAPS_PACKET_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi/common.h"
#include "abi/flow.h"
#include "lib/packet.h"

struct tt_packet_place {
	struct tt_packet packet;
	__u32 is_taken; /* where a CPU may have several packets in hand */
	__u8 _pad[4];
};

/*
 * The packets that this CPU is working on. In a map, not on the stack: global functions find them there without pointer
 * arguments (kernel 5.12), and are then verified once instead of once per way that leads to them.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TT_PACKET_PLACES);
	__type(key, __u32);
	__type(value, struct tt_packet_place);
} tt_packets SEC(".maps");

static __always_inline struct tt_packet *tt_packet_at(__u32 number)
{
	struct tt_packet_place *place = bpf_map_lookup_elem(&tt_packets, &number);

	return place ? &place->packet : NULL;
}

/* Where one CPU has one packet in hand. */
static __always_inline struct tt_packet *tt_packet_here(void)
{
	return tt_packet_at(0);
}

#endif
