/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The flow table: known connections pass, unknown ones are judged and remembered. */
#ifndef TT_STAGES_FLOW_H
#define TT_STAGES_FLOW_H

#include <linux/errno.h>

#include "maps/flow.h"
#include "maps/packet.h"
#include "abi/event.h"
#include "lib/packet.h"

static __always_inline __u32 tt_flow_clock(__u64 jiffies)
{
	return jiffies >> TT_FLOW_AGE_SHIFT;
}

static __always_inline __u32 tt_flow_deadline(const struct tt_context *context, const struct tt_packet *packet,
					      __u8 state)
{
	return tt_flow_clock(packet->jiffies + (__u64)context->state->hz * tt_timeout_seconds(packet->protocol, state));
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
	const __u32 deadline = tt_flow_deadline(context, packet, TT_FLOW_NEW);
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

static __always_inline enum tt_verdict tt_flow_opened(struct tt_packet *packet)
{
	return tt_allow(packet, packet->is_from_host ? TT_REASON_ALLOWED_HOST : TT_REASON_ALLOWED_NEW);
}

/* No flow: policy decides. Another CPU may store the same flow meanwhile; then this packet is its second. */
static __always_inline enum tt_verdict tt_flow_open(const struct tt_context *context, struct tt_packet *packet,
						    const struct tt_flow_place *place, bool is_high)
{
	const enum tt_verdict verdict = tt_judge(context, packet);
	struct tt_flow_entry *entry;
	long error;

	if (verdict != TT_CONTINUE)
		return verdict;
	error = tt_flow_store(context, packet, place, is_high, false);
	if (!error)
		return tt_flow_opened(packet);
	if (error != -EEXIST)
		return tt_drop(packet, TT_REASON_DROP_FLOW_TABLE);
	entry = tt_flow_at(&packet->key, place);
	if (entry)
		tt_track_count(&entry->flow, 1, packet->length, is_high != (entry->flow.flags & TT_FLOW_FROM_HIGH));
	return tt_allow(packet, TT_REASON_ALLOWED_FLOW);
}

/*
 * A TCP SYN without ACK asks for a new connection whatever is known. Not at the receiver's hook when the sender's has
 * just judged the same packet for both.
 */
static __always_inline bool tt_flow_asks_anew(const struct tt_packet *packet, const struct tt_flow *flow, bool is_reply)
{
	if (packet->protocol != TT_PROTO_TCP || (packet->tcp_flags & (TT_TCP_SYN | TT_TCP_ACK)) != TT_TCP_SYN)
		return false;
	return packet->hook == TT_HOOK_FROM_WORKLOAD || is_reply || !flow->egress_word;
}

/*
 * A SYN on a known flow. Denied, it leaves the flow alone: whoever sent it may not end another's connection. Allowed,
 * it starts the flow over if that was ending, revoked or ran the other way, and counts as a retransmission otherwise.
 */
static __always_inline enum tt_verdict tt_flow_reopen(const struct tt_context *context, struct tt_packet *packet,
						      const struct tt_flow_place *place, struct tt_flow *flow, bool is_high, bool is_reply)
{
	const enum tt_verdict verdict = tt_judge(context, packet);

	if (verdict != TT_CONTINUE)
		return verdict;
	if (is_reply || flow->state >= TT_FLOW_CLOSING || (flow->flags & TT_FLOW_REVOKED)) {
		if (tt_flow_store(context, packet, place, is_high, true))
			return tt_drop(packet, TT_REASON_DROP_FLOW_TABLE);
		return tt_flow_opened(packet);
	}
	if (tt_is_counted_here(packet, flow, is_reply))
		tt_track_count(flow, 1, packet->length, is_reply);
	flow->egress_word = packet->egress_word;
	flow->ingress_word = packet->ingress_word;
	flow->generation = packet->generation;
	flow->seen_jiffies = packet->jiffies;
	return tt_allow(packet, TT_REASON_ALLOWED_FLOW);
}

/*
 * Policy denies a flow that it allowed before. The flow stays in the table: without it the next packet of either end
 * would be a connection of its own, and one that the responder sends would open the other way round what is denied.
 */
static __always_inline enum tt_verdict tt_flow_revoke(struct tt_packet *packet, struct tt_flow *flow)
{
	if (packet->reason == TT_REASON_DROP_TABLE_HOLE)
		return TT_DROP;
	if (!(flow->flags & TT_FLOW_REVOKED))
		packet->reason = TT_REASON_DROP_REVOKED;
	flow->flags |= TT_FLOW_REVOKED;
	flow->egress_word = packet->egress_word;
	flow->ingress_word = packet->ingress_word;
	flow->generation = packet->generation;
	flow->seen_jiffies = packet->jiffies;
	return TT_DROP;
}

/* Nothing has changed since; the flow is remembered for as long as somebody tries. */
static __always_inline enum tt_verdict tt_flow_stay_revoked(struct tt_packet *packet, struct tt_flow *flow)
{
	const bool is_sender = flow->egress_word & TT_WORD_DENY;

	packet->egress_word = flow->egress_word;
	packet->ingress_word = flow->ingress_word;
	flow->seen_jiffies = packet->jiffies;
	return tt_drop(packet, is_sender ? TT_REASON_DROP_EGRESS_POLICY : TT_REASON_DROP_INGRESS_POLICY);
}

/*
 * The end that this hook guards, if no hook has judged it for this flow yet: the flow was opened while the end was
 * not here, or where it could not be named. A denied receiver leaves the sender's flow in place, as a drop further
 * down the path would.
 */
static __always_inline enum tt_verdict tt_flow_first_sight(const struct tt_context *context, struct tt_packet *packet,
							   struct tt_flow *flow)
{
	enum tt_verdict verdict;

	if (packet->hook == TT_HOOK_FROM_WORKLOAD) {
		if (flow->egress_word)
			return TT_CONTINUE;
		verdict = tt_judge_side(context->endpoint->id, false, false);
		flow->flags &= ~TT_FLOW_FROM_HOST;
		if (verdict != TT_CONTINUE)
			return tt_flow_revoke(packet, flow);
		flow->egress_word = packet->egress_word;
		return TT_CONTINUE;
	}
	if (flow->ingress_word || (flow->flags & TT_FLOW_FROM_HOST))
		return TT_CONTINUE;
	verdict = tt_judge_side(context->endpoint->id, true, false);
	if (verdict == TT_CONTINUE)
		flow->ingress_word = packet->ingress_word;
	return verdict;
}

static __always_inline bool tt_flow_is_current(const struct tt_context *context, const struct tt_packet *packet,
					       const struct tt_flow *flow)
{
	return flow->generation == packet->generation || (context->state->flags & TT_STATE_KEEP_ESTABLISHED);
}

/* A flow of another generation is judged again, and so may come back. What the host opened no policy judges. */
static __always_inline enum tt_verdict tt_flow_renew(const struct tt_context *context, struct tt_packet *packet,
						     struct tt_flow *flow, bool is_reply)
{
	const bool is_revoked = flow->flags & TT_FLOW_REVOKED;

	if (is_revoked && flow->generation == packet->generation)
		return tt_flow_stay_revoked(packet, flow);
	if (!is_revoked && tt_flow_is_current(context, packet, flow))
		return TT_CONTINUE;
	if (!(flow->flags & TT_FLOW_FROM_HOST)) {
		if (tt_judge_again(context, packet, is_reply) != TT_CONTINUE)
			return tt_flow_revoke(packet, flow);
		flow->egress_word = packet->egress_word;
		flow->ingress_word = packet->ingress_word;
	}
	flow->flags &= ~TT_FLOW_REVOKED;
	flow->generation = packet->generation;
	return TT_CONTINUE;
}

/* A packet of a known flow. */
static __always_inline enum tt_verdict tt_flow_continue(const struct tt_context *context, struct tt_packet *packet,
							struct tt_flow *flow, bool is_reply)
{
	enum tt_verdict verdict = tt_flow_renew(context, packet, flow, is_reply);

	if (verdict != TT_CONTINUE)
		return verdict;
	packet->egress_word = flow->egress_word;
	packet->ingress_word = flow->ingress_word;
	if (!is_reply)
		verdict = tt_flow_first_sight(context, packet, flow);
	if (verdict != TT_CONTINUE)
		return verdict;
	/*
	 * A flow that did not begin between two workloads of this host takes the stack: address translation may have to
	 * see it, and a receiver that came later is judged at its own hook.
	 */
	if (!(flow->flags & TT_FLOW_LOCAL))
		packet->target = 0;
	tt_track_state(packet, flow, is_reply);
	flow->seen_jiffies = packet->jiffies;
	if (tt_is_counted_here(packet, flow, is_reply)) {
		tt_track_count(flow, 1, packet->length, is_reply);
		if (packet->is_cacheable && (packet->protocol != TT_PROTO_TCP || flow->state == TT_FLOW_ESTABLISHED))
			tt_cache_fill(context, packet, flow, is_reply);
	}
	return tt_allow(packet, TT_REASON_ALLOWED_FLOW);
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

/* Whose deadline comes first may have to give way to another. */
static __always_inline void tt_flow_prolong(const struct tt_context *context, const struct tt_packet *packet,
					    struct tt_flow_entry *entry)
{
	const __u32 later = tt_flow_deadline(context, packet, entry->flow.state);

	if (entry->deadline != later)
		entry->deadline = later;
}

static __always_inline enum tt_verdict tt_flow(const struct tt_context *context, struct tt_packet *packet)
{
	struct tt_flow_entry *entry;
	struct tt_flow_place place;
	enum tt_verdict verdict;
	bool is_high, is_reply;

	if (packet->protocol == TT_PROTO_TCP && !packet->is_cacheable && !packet->fragment)
		tt_cache_forget(context, packet);
	entry = tt_flow_lookup(context, packet, &place, &is_high);
	if (!entry && tt_is_echo_reply(packet->protocol, packet->kind, packet->icmp_type)) {
		/* Nobody asked: it stands for itself, and must not open the asker's flow. */
		packet->kind = TT_FLOW_ICMP_OTHER;
		entry = tt_flow_lookup(context, packet, &place, &is_high);
	}
	if (!entry)
		return tt_flow_open(context, packet, &place, is_high);
	is_reply = is_high != (entry->flow.flags & TT_FLOW_FROM_HIGH);
	if (tt_flow_asks_anew(packet, &entry->flow, is_reply))
		verdict = tt_flow_reopen(context, packet, &place, &entry->flow, is_high, is_reply);
	else
		verdict = tt_flow_continue(context, packet, &entry->flow, is_reply);
	tt_flow_prolong(context, packet, entry);
	return verdict;
}

#endif
