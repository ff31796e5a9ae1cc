/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* First stage at the host's hooks: between which interfaces the packet is, whether any list there has a say. */
#ifndef TT_STAGES_HOST_BEGIN_H
#define TT_STAGES_HOST_BEGIN_H

#include "maps/heap.h"
#include "maps/host.h"
#include "maps/packet.h"
#include "abi/event.h"
#include "abi/host.h"
#include "lib/packet.h"

enum tt_host_constants {
	TT_LOOPBACK_IFINDEX = 1, /* in every network namespace */
	TT_NFPROTO_IPV4 = 2,
	TT_NFPROTO_IPV6 = 10,
	TT_DST_NOREF = 1, /* in sk_buff._skb_refdst: no reference is held */
};

/* Places of tt_packets: a power of two, at least TT_PACKET_PLACES for each CPU. Fewer are shared. */
const volatile __u32 tt_packet_room = TT_PACKET_PLACES;

/* Test runs happen between loopback interfaces and without connection tracking: they say what to see instead. */
const volatile __u32 tt_is_test = 0;
struct tt_host_test tt_host_test;

/* Interfaces and the root that a packet is judged by, all chosen once. */
struct tt_host_here {
	struct tt_state *state;
	__u32 in;
	__u32 out;
	__u32 root_number;
	bool is_transit_open;
	bool is_tracked; /* no list is asked for each packet */
};

static __always_inline const struct tt_host_lists *tt_host_lists_at(__u32 slot, __u32 root_number)
{
	const struct tt_host_interface *interface = bpf_map_lookup_elem(&tt_host_ifaces, &slot);

	if (!interface)
		return NULL;
	return root_number & 1 ? &interface->lists[1] : &interface->lists[0];
}

/* Slot of an interface, or of the entry for all others. */
static __always_inline __u32 tt_host_slot(__u32 ifindex)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < TT_HOST_PROBES; i++) {
		const __u32 slot = (ifindex + i) & (tt_host_slots - 1);
		const struct tt_host_interface *interface = bpf_map_lookup_elem(&tt_host_ifaces, &slot);

		if (interface && interface->ifindex == ifindex)
			return slot;
	}
	return tt_host_slots;
}

static __always_inline __u32 tt_ifindex(const struct net_device *device)
{
	return device ? device->ifindex : 0;
}

/*
 * Where the packet leaves. Translation and marks may have changed the route after the kernel told the hook of one: what
 * the packet bears itself is the latest.
 */
static __always_inline __u32 tt_out_ifindex(const tt_skb *skb)
{
	const unsigned long route = skb->skb->_skb_refdst & ~(unsigned long)TT_DST_NOREF;

	if (tt_is_test)
		return tt_host_test.out_ifindex;
	if (!route)
		return tt_ifindex(skb->state->out);
	return tt_ifindex(tt_kernel_struct(struct dst_entry, route)->dev);
}

static __always_inline __u32 tt_in_ifindex(const tt_skb *skb)
{
	return tt_is_test ? tt_host_test.in_ifindex : tt_ifindex(skb->state->in);
}

/* false: no list of the host has a say in this packet, nor in others that its connection may consist of. */
static __always_inline bool tt_host_arrive(struct tt_host_here *here, const tt_skb *skb, __u8 hook)
{
	const __u32 any = hook == TT_HOOK_FORWARD ? TT_HOST_ANY_FORWARD : TT_HOST_ANY_LOCAL;
	const struct tt_host_lists *others;

	here->state = tt_state_here();
	if (!here->state)
		return false;
	here->root_number = *(const volatile __u32 *)&here->state->active & 1;
	others = tt_host_lists_at(tt_host_slots, here->root_number);
	if (!others || !(others->flags & any))
		return false;
	here->is_transit_open = !(others->flags & TT_HOST_ANY_FORWARD);
	here->is_tracked = others->flags & TT_HOST_ALL_TRACKED;
	here->in = hook == TT_HOOK_FROM_HOST ? 0 : tt_in_ifindex(skb);
	here->out = hook == TT_HOOK_TO_HOST ? 0 : tt_out_ifindex(skb);
	return here->in != TT_LOOPBACK_IFINDEX && here->out != TT_LOOPBACK_IFINDEX;
}

/* Takes a place for a packet, looked for from this CPU's first on. NULL: all of those are taken. */
static __always_inline struct tt_packet_place *tt_packet_take(__u32 *number)
{
	const __u32 first = bpf_get_smp_processor_id() * TT_PACKET_PLACES;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < TT_PACKET_PLACES; i++) {
		struct tt_packet_place *place;

		*number = (first + i) & (tt_packet_room - 1);
		place = bpf_map_lookup_elem(&tt_packets, number);
		if (place && !__sync_lock_test_and_set(&place->is_taken, 1))
			return place;
	}
	return NULL;
}

/* An exchange, and no mere store: whoever takes the place next, on any CPU, does so after all that was done there. */
static __always_inline void tt_packet_give_back(struct tt_packet_place *place)
{
	__sync_lock_test_and_set(&place->is_taken, 0);
}

/* The context, but for the packet's bytes. 0 or an error. */
static __always_inline long tt_resume(struct tt_context *context, const struct tt_packet *packet, tt_skb *skb)
{
	context->skb = skb;
	context->is_fast = false;
	context->state = tt_state_here();
	if (!context->state)
		return -ENOENT;
	context->root = &context->state->root[packet->root_number & 1];
	return 0;
}

static __always_inline enum tt_verdict tt_host_begin(struct tt_context *context, struct tt_packet *packet, tt_skb *skb,
						     const struct tt_host_here *here, __u8 hook)
{
	const struct tt_host_lists *lists;

	packet->hook = hook;
	packet->ifindex = here->in ? here->in : here->out;
	packet->out_ifindex = here->out;
	packet->length = skb->skb->len;
	packet->jiffies = bpf_jiffies64();
	packet->peer_id = TT_NO_ENDPOINT;
	packet->root_number = here->root_number;
	packet->is_transit_open = here->is_transit_open;
	packet->in_slot = here->in ? tt_host_slot(here->in) : tt_host_slots;
	packet->out_slot = here->out ? tt_host_slot(here->out) : tt_host_slots;
	if (tt_resume(context, packet, skb))
		return tt_drop(packet, TT_REASON_DROP_NOT_READY);
	packet->generation = context->root->generation;
	lists = tt_host_lists_at(packet->in_slot, packet->root_number);
	packet->is_from_workload = here->in && lists && (lists->flags & TT_HOST_WORKLOAD);
	return TT_CONTINUE;
}

#endif
