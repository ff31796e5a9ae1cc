/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* A judged packet becomes the first of its flow in the flow table. Decides nothing. */
#ifndef TT_STAGES_FLOW_ENTER_H
#define TT_STAGES_FLOW_ENTER_H

#include <linux/errno.h>

#include "maps/flow.h"
#include "maps/packet.h"
#include "abi/event.h"
#include "lib/packet.h"

/* What the host's lists have said: their word, and in the lower half the generation. 0 = they were not asked. */
static __always_inline __u64 tt_flow_host(const struct tt_flow *flow)
{
	return *(const volatile tt_any64 *)&flow->host_generation;
}

static __always_inline void tt_flow_host_set(struct tt_flow *flow, __u64 said)
{
	*(volatile tt_any64 *)&flow->host_generation = said;
}

/* What the packet was told just now, in the same form. */
static __always_inline __u64 tt_host_said(const struct tt_packet *packet)
{
	return (__u64)(packet->egress_word ? packet->egress_word : packet->ingress_word) << 32 | packet->generation;
}

/* For a workload's hook: only the host's have seen the flow, so that nothing has been said here. */
static __always_inline bool tt_flow_is_unmet(const struct tt_flow *flow)
{
	return !TT_IS_HOST && (flow->flags & TT_FLOW_UNMET);
}

/* The flag alone may be lost to another CPU's store of the same byte; the words only judgements write. */
static __always_inline bool tt_flow_is_revoked(const struct tt_flow *flow)
{
	return (flow->flags & TT_FLOW_REVOKED) || ((flow->egress_word | flow->ingress_word) & TT_WORD_DENY);
}

static __always_inline __u32 tt_flow_clock(__u64 jiffies)
{
	return jiffies >> TT_FLOW_AGE_SHIFT;
}

static __always_inline __u32 tt_flow_deadline(const struct tt_context *context, __u8 protocol, __u8 state, __u64 seen)
{
	return tt_flow_clock(seen + (__u64)context->state->hz * tt_timeout_seconds(protocol, state));
}

/* What a hook of the host enters no workload has judged, whatever words its own lists have given the packet. */
static __always_inline void tt_flow_write_host(const struct tt_packet *packet, struct tt_flow *flow)
{
	flow->flags |= TT_FLOW_UNMET;
	flow->egress_word = 0;
	flow->ingress_word = 0;
	tt_flow_host_set(flow, tt_host_said(packet));
}

/* The judged packet as the first of its flow. */
static __always_inline void tt_flow_write(const struct tt_packet *packet, struct tt_flow *flow, bool is_high)
{
	*flow = (struct tt_flow){
		.generation = packet->generation,
		.state = packet->tcp_flags & TT_TCP_RST ? TT_FLOW_CLOSED : TT_FLOW_NEW,
		.tcp_flags = packet->tcp_flags,
		.flags = (is_high ? TT_FLOW_FROM_HIGH : 0) | (packet->is_from_host ? TT_FLOW_FROM_HOST : 0) |
			 (packet->hook == TT_HOOK_FROM_WORKLOAD && packet->ingress_word ? TT_FLOW_LOCAL : 0),
		.egress_word = packet->egress_word,
		.ingress_word = packet->ingress_word,
		.created_jiffies = packet->jiffies,
		.seen_jiffies = packet->jiffies,
		.packets = { 1 },
		.bytes = { packet->length },
	};
	if (TT_IS_HOST)
		tt_flow_write_host(packet, flow);
}

/*
 * A flow that ended, or that this hook has not met: what the host's lists have said to its opening stands. Its name and the
 * moment when it was created tell it from all flows before.
 */
static __always_inline void tt_flow_overwrite(const struct tt_packet *packet, struct tt_flow *flow, bool is_high)
{
	const bool is_same = tt_flow_is_unmet(flow) && is_high == !!(flow->flags & TT_FLOW_FROM_HIGH);
	const __u64 host = is_same ? tt_flow_host(flow) : 0;
	const __u64 created = flow->created_jiffies;

	tt_flow_write(packet, flow, is_high);
	if (flow->created_jiffies <= created)
		flow->created_jiffies = created + 1;
	if (host)
		tt_flow_host_set(flow, host);
}

/*
 * Whether the flow of an entry stands, so that nothing is entered there. Under the region's lock: what was seen of the flow
 * before may be so no more. A hook of the host starts over what no workload's hook has met, and nothing else.
 */
static __always_inline bool tt_flow_stands(const struct tt_context *context, const struct tt_packet *packet,
					   const struct tt_flow *flow, bool is_anew)
{
	const bool is_free = TT_IS_HOST ? is_anew && (flow->flags & TT_FLOW_UNMET) : is_anew || tt_flow_is_unmet(flow);

	return !is_free && !tt_is_expired(context, packet->jiffies, packet->protocol, flow);
}

enum tt_flow_entered {
	TT_FLOW_ENTERED = 0,
	TT_FLOW_ENTERED_EVICTING = 1, /* a flow that had not ended */
	TT_FLOW_KNOWN = 2,	      /* nothing was entered: another CPU was faster, or a workload's hook */
};

/*
 * Enters the judged packet's flow under the region's lock, in place of an ended flow of the same key, or of a live one
 * too if is_anew. Never without a place: a flow that ends sooner gives way, in a full bucket that of way `given`. Notes
 * what goes, if flows are logged.
 */
static __always_inline enum tt_flow_entered tt_flow_enter(const struct tt_context *context, struct tt_packet *packet,
							  const struct tt_flow_place *place,
							  struct tt_flow_region *region, struct tt_flow_lock *lock,
							  bool is_high, bool is_anew, __u32 given)
{
	struct tt_flow_event *gone = tt_is_flow_logged(context->state) ? tt_place_of(packet)->gone : NULL;
	const __u32 now = tt_flow_clock(packet->jiffies);
	const __u32 deadline = tt_flow_deadline(context, packet->protocol, TT_FLOW_NEW, packet->jiffies);
	struct tt_flow_made made = {};
	struct tt_flow_entry *entry;
	__u32 number;

	bpf_spin_lock(&lock->lock);
	number = tt_flow_seek(region, &packet->key, place);
	if (number < TT_FLOW_NOWHERE) {
		entry = tt_flow_entry(region, number);
		if (tt_flow_stands(context, packet, &entry->flow, is_anew)) {
			bpf_spin_unlock(&lock->lock);
			return TT_FLOW_KNOWN;
		}
		if (gone && !tt_flow_is_unmet(&entry->flow))
			tt_told_note(&gone[0], place->region, entry, number);
		tt_flow_overwrite(packet, &entry->flow, is_high);
		entry->deadline = deadline;
	} else {
		made = tt_flow_make(region, place, now, deadline - now, given, gone);
		made.entry->key = packet->key;
		tt_flow_write(packet, &made.entry->flow, is_high);
		made.entry->deadline = deadline;
		tt_flow_publish(region, place, &made);
	}
	bpf_spin_unlock(&lock->lock);
	return made.has_evicted ? TT_FLOW_ENTERED_EVICTING : TT_FLOW_ENTERED;
}

/* Stores the judged packet as the first of its flow. 0, -EEXIST if another CPU has just done so, -ENOENT. */
static __always_inline long tt_flow_store(const struct tt_context *context, struct tt_packet *packet,
					  const struct tt_flow_place *place, bool is_high, bool is_anew)
{
	const __u32 number = place->region;
	const __u32 given = tt_flow_way_to_give(number, place->bucket, tt_flow_clock(packet->jiffies));
	struct tt_flow_lock *lock = bpf_map_lookup_elem(&tt_flow_locks, &number);
	struct tt_flow_region *region = tt_flow_region_at(place->region);
	enum tt_flow_entered entered;

	if (!lock || !region)
		return -ENOENT;
	tt_told_begin(packet);
	entered = tt_flow_enter(context, packet, place, region, lock, is_high, is_anew, given);
	if (tt_told_is_noted(packet))
		tt_told_send(packet->place);
	switch (entered) {
	case TT_FLOW_KNOWN:
		return -EEXIST;
	case TT_FLOW_ENTERED_EVICTING:
		tt_count(TT_REASON_FLOW_EVICTED, packet->length);
		return 0;
	default:
		return 0;
	}
}

/* The packet's key, and its flow's entry if that has not ended; *is_high: the packet's source is end 1. */
static __always_inline struct tt_flow_entry *tt_flow_lookup(const struct tt_context *context, struct tt_packet *packet,
							    struct tt_flow_place *place, bool *is_high)
{
	const struct tt_tuple tuple = tt_tuple_of(packet);
	struct tt_flow_entry *entry;

	*is_high = tt_key(&tuple, &packet->key);
	*place = tt_flow_place(&packet->key, context->state->flow_seed);
	entry = tt_flow_at(&packet->key, place);
	if (!entry || tt_is_expired(context, packet->jiffies, packet->protocol, &entry->flow))
		return NULL;
	return entry;
}

/* Whose deadline comes first may have to give way to another. A packet that left the flow alone prolongs nothing. */
static __always_inline void tt_flow_prolong(const struct tt_context *context, const struct tt_packet *packet,
					    struct tt_flow_entry *entry)
{
	const __u32 later = tt_flow_deadline(context, packet->protocol, entry->flow.state, entry->flow.seen_jiffies);

	if (entry->deadline != later)
		entry->deadline = later;
}

#endif
