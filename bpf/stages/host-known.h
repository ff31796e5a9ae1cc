/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Packets of known connections at the host's hooks that need nothing but to be counted. All others, and all that is new or denied,
 * go the long way: what is decided here it would decide too.
 */
#ifndef TT_STAGES_HOST_KNOWN_H
#define TT_STAGES_HOST_KNOWN_H

#include "maps/event.h"
#include "maps/flow.h"
#include "abi/event.h"
#include "lib/packet.h"

/* Of the running kernel, as libbpf writes it: the verifier leaves out what it decides against. */
extern int LINUX_KERNEL_VERSION __kconfig;

enum tt_host_kernels {
	/*
	 * 6.17: programs end on the CPU that they began on. Then nothing but a packet that the host sends is ever interrupted by
	 * another, and that one adds to counters with locks; what a queue of user space gives back may cost a count. Older kernels
	 * may have it as an update, which is not asked.
	 */
	TT_BOUND_SINCE = 6 << 16 | 17 << 8,
};

static __always_inline void tt_host_count(__u8 hook, __u32 bytes)
{
	const __u32 reason = TT_REASON_ALLOWED_FLOW;
	struct tt_counter *counter;

	if (hook == TT_HOOK_FROM_HOST || LINUX_KERNEL_VERSION < TT_BOUND_SINCE)
		return tt_count(reason, bytes);
	counter = bpf_map_lookup_elem(&tt_counters, &reason);
	if (!counter)
		return;
	counter->packets++;
	counter->bytes += bytes;
}

/* As tt_host_continue does it, for a flow that may go on as it is. */
static __always_inline bool tt_host_goes_on(const struct tt_context *context, const struct tt_packet *packet)
{
	const struct tt_tuple tuple = tt_tuple_of(packet);
	struct tt_flow_place place;
	struct tt_flow_entry *entry;
	struct tt_flow_key key;
	bool is_high, is_reply;

	is_high = tt_key(&tuple, &key);
	place = tt_flow_place(&key, context->state->flow_seed);
	entry = tt_flow_at(&key, &place);
	if (!entry || tt_is_expired(context, packet->jiffies, packet->protocol, &entry->flow) ||
	    !tt_flow_is_current(context, packet, &entry->flow))
		return false;
	is_reply = is_high != !!(entry->flow.flags & TT_FLOW_FROM_HIGH);
	tt_track_state(packet, &entry->flow, is_reply);
	entry->flow.seen_jiffies = packet->jiffies;
	if (entry->flow.flags & TT_FLOW_UNMET)
		tt_track_count(&entry->flow, 1, packet->length, is_reply);
	tt_flow_prolong(context, packet, entry);
	return true;
}

/* Whether the packet passes as one of a connection that is known. Of what is told of the packet nothing outlives this. */
static __always_inline bool tt_host_known(tt_skb *skb, const struct tt_host_here *here, __u8 hook)
{
	struct tt_packet packet = {
		.hook = hook,
		.generation = here->state->root[here->root_number].generation,
		.jiffies = bpf_jiffies64(),
	};
	const struct tt_context context = { .skb = skb, .state = here->state };

	if (!tt_host_glance(&packet, skb) || tt_host_asks_anew(&packet) || !tt_host_goes_on(&context, &packet))
		return false;
	tt_host_count(hook, packet.length);
	return true;
}

#endif
