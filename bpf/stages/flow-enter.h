/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* A judged packet becomes the first of its flow in the flow table. Decides nothing. */
#ifndef TT_STAGES_FLOW_ENTER_H
#define TT_STAGES_FLOW_ENTER_H

#include <linux/errno.h>

#include "maps/flow.h"
#include "maps/packet.h"
#include "abi/event.h"
#include "lib/packet.h"

static __always_inline __u32 tt_flow_clock(__u64 jiffies)
{
	return jiffies >> TT_FLOW_AGE_SHIFT;
}

static __always_inline __u32 tt_flow_deadline(const struct tt_context *context, __u8 protocol, __u8 state, __u64 seen)
{
	return tt_flow_clock(seen + (__u64)context->state->hz * tt_timeout_seconds(protocol, state));
}

/* The judged packet as the first of its flow. */
static __always_inline void tt_flow_write(const struct tt_packet *packet, struct tt_flow *flow, bool is_high)
{
	*flow = (struct tt_flow){
		.generation = packet->generation,
		.state = packet->tcp_flags & TT_TCP_RST ? TT_FLOW_CLOSED : TT_FLOW_NEW,
		.flags = (is_high ? TT_FLOW_FROM_HIGH : 0) | (packet->is_from_host ? TT_FLOW_FROM_HOST : 0) |
			 (packet->hook == TT_HOOK_FROM_WORKLOAD && packet->ingress_word ? TT_FLOW_LOCAL : 0),
		.egress_word = packet->egress_word,
		.ingress_word = packet->ingress_word,
		.created_jiffies = packet->jiffies,
		.seen_jiffies = packet->jiffies,
		.packets = { 1 },
		.bytes = { packet->length },
	};
}

enum tt_flow_entered {
	TT_FLOW_ENTERED = 0,
	TT_FLOW_ENTERED_EVICTING = 1, /* a flow that had not ended */
	TT_FLOW_KNOWN = 2,	      /* nothing was entered: another CPU was faster */
};

/*
 * Enters the judged packet's flow under the region's lock, in place of an ended flow of the same key, or of a live one
 * too if is_anew. Never without a place: a flow that ends sooner gives way.
 */
static __always_inline enum tt_flow_entered tt_flow_enter(const struct tt_context *context,
							  const struct tt_packet *packet,
							  const struct tt_flow_place *place,
							  struct tt_flow_region *region, struct tt_flow_lock *lock,
							  bool is_high, bool is_anew)
{
	const __u32 now = tt_flow_clock(packet->jiffies);
	const __u32 deadline = tt_flow_deadline(context, packet->protocol, TT_FLOW_NEW, packet->jiffies);
	struct tt_flow_made made = {};
	struct tt_flow_entry *entry;
	__u32 number;

	bpf_spin_lock(&lock->lock);
	number = tt_flow_seek(region, &packet->key, place);
	if (number < TT_FLOW_NOWHERE) {
		entry = tt_flow_entry(region, number);
		if (!is_anew && !tt_is_expired(context, packet->jiffies, packet->protocol, &entry->flow)) {
			bpf_spin_unlock(&lock->lock);
			return TT_FLOW_KNOWN;
		}
		tt_flow_write(packet, &entry->flow, is_high);
		entry->deadline = deadline;
	} else {
		made = tt_flow_make(region, place, now, deadline - now);
		made.entry->key = packet->key;
		tt_flow_write(packet, &made.entry->flow, is_high);
		made.entry->deadline = deadline;
		tt_flow_publish(region, place, &made);
	}
	bpf_spin_unlock(&lock->lock);
	return made.has_evicted ? TT_FLOW_ENTERED_EVICTING : TT_FLOW_ENTERED;
}

/* Stores the judged packet as the first of its flow. 0, -EEXIST if another CPU has just done so, -ENOENT. */
static __always_inline long tt_flow_store(const struct tt_context *context, const struct tt_packet *packet,
					  const struct tt_flow_place *place, bool is_high, bool is_anew)
{
	const __u32 number = place->region;
	struct tt_flow_lock *lock = bpf_map_lookup_elem(&tt_flow_locks, &number);
	struct tt_flow_region *region = tt_flow_region_at(place->region);

	if (!lock || !region)
		return -ENOENT;
	switch (tt_flow_enter(context, packet, place, region, lock, is_high, is_anew)) {
	case TT_FLOW_KNOWN:
		return -EEXIST;
	case TT_FLOW_ENTERED_EVICTING:
		tt_count(TT_REASON_FLOW_EVICTED, packet->length);
		return 0;
	default:
		return 0;
	}
}

#endif
