/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* First stage: which endpoint the program runs for, and which compiled state this packet is judged by. */
#ifndef TT_STAGES_BEGIN_H
#define TT_STAGES_BEGIN_H

#include "maps/endpoint.h"
#include "maps/event.h"
#include "maps/heap.h"
#include "maps/packet.h"
#include "abi/capture.h"
#include "lib/packet.h"

static __always_inline const struct tt_endpoint *tt_endpoint_at(__u32 slot)
{
	return bpf_map_lookup_elem(&tt_endpoints, &slot);
}

/* The endpoint of an interface, and its slot. */
static __always_inline const struct tt_endpoint *tt_endpoint_find(__u32 ifindex, __u32 *slot)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < TT_ENDPOINT_PROBES; i++) {
		const struct tt_endpoint *endpoint;

		*slot = (ifindex + i) & (tt_endpoint_slots - 1);
		endpoint = tt_endpoint_at(*slot);
		if (endpoint && endpoint->ifindex == ifindex)
			return endpoint;
	}
	return NULL;
}

/* What every packet needs: the clock, and the stamp before anything that the stamp vouches for. */
static __always_inline enum tt_verdict tt_arrive(struct tt_context *context, struct tt_packet *packet,
						 struct __sk_buff *skb, __u8 hook)
{
	packet->hook = hook;
	packet->ifindex = skb->ifindex;
	packet->length = skb->len - ETH_HLEN;
	packet->jiffies = bpf_jiffies64();
	context->skb = skb;
	context->state = tt_state_here();
	if (!context->state)
		return tt_drop(packet, TT_REASON_DROP_NOT_READY);
	packet->stamp = *(const volatile __u32 *)&context->state->stamp;
	return TT_CONTINUE;
}

/* The endpoint, and the root: chosen once, so that a packet never sees two of them. */
static __always_inline enum tt_verdict tt_begin(struct tt_context *context, struct tt_packet *packet,
						struct __sk_buff *skb, __u8 hook)
{
	packet->peer_id = TT_NO_ENDPOINT;
	if (tt_arrive(context, packet, skb, hook) != TT_CONTINUE)
		return TT_DROP;
	packet->root_number = *(const volatile __u32 *)&context->state->active & 1;
	context->root = &context->state->root[packet->root_number];
	packet->generation = context->root->generation;
	packet->captures = context->state->flags & TT_CAPTURE_DENIED;
	context->endpoint = tt_endpoint_find(packet->ifindex, &packet->endpoint_slot);
	if (!context->endpoint)
		return tt_drop(packet, TT_REASON_DROP_NOT_READY);
	packet->captures |= context->endpoint->flags & TT_CAPTURE_BOTH;
	if (!(context->endpoint->flags & TT_ENDPOINT_READY))
		return tt_drop(packet, TT_REASON_DROP_NOT_READY);
	return TT_CONTINUE;
}

/* The context again, at the start of a global function. 0 or -1. */
static __always_inline int tt_resume(struct tt_context *context, const struct tt_packet *packet, struct __sk_buff *skb)
{
	context->skb = skb;
	context->state = tt_state_here();
	context->endpoint = tt_endpoint_at(packet->endpoint_slot);
	if (!context->state || !context->endpoint)
		return -1;
	context->root = &context->state->root[packet->root_number & 1];
	return 0;
}

#endif
