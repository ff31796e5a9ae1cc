/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Room for the packet in hand and what is made of it. Of no interest to user space. */
#ifndef TT_MAPS_PACKET_H
#define TT_MAPS_PACKET_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi/common.h"
#include "abi/event.h"
#include "abi/flow.h"
#include "lib/packet.h"

struct tt_packet_place {
	struct tt_packet packet;
	__u32 is_taken; /* where a CPU may have several packets in hand; taken and given back by atomic exchange */
	/* At the host's hooks: words of lists that let the packet pass on, where a Log rule of theirs matched; else 0. */
	__u32 untracked_log;
	__u32 pre_dnat_log;
	__u8 _pad[4];
	struct tt_flow_event gone[2]; /* flows that this one took the place of */
};

_Static_assert(offsetof(struct tt_packet_place, packet) == 0, "a packet in a place is found by the place's address");

/*
 * The packets that this CPU is working on. In a map, not on the stack: global functions find them there without pointer
 * arguments (kernel 5.12), and are then verified once instead of once per way that leads to them. At the host's hooks those
 * of all CPUs: before 6.17 (and stable kernels of August 2025) a sender may go on on another CPU in the middle of a program
 * there, and what is by CPU would then be another packet's.
 */
struct {
	__uint(type, TT_IS_HOST ? BPF_MAP_TYPE_ARRAY : BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TT_PACKET_PLACES);
	__type(key, __u32);
	__type(value, struct tt_packet_place);
} tt_packets SEC(".maps");

static __always_inline struct tt_packet *tt_packet_at(__u32 number)
{
	struct tt_packet_place *place = bpf_map_lookup_elem(&tt_packets, &number);

	return place ? &place->packet : NULL;
}

/* The place of a packet that is in one. */
static __always_inline struct tt_packet_place *tt_place_of(struct tt_packet *packet)
{
	return (struct tt_packet_place *)packet;
}

/* Where one CPU has one packet in hand. */
static __always_inline struct tt_packet *tt_packet_here(void)
{
	return tt_packet_at(0);
}

#endif
