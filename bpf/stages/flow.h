/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The flow table: known connections pass, unknown ones are judged and remembered. */
#ifndef TT_STAGES_FLOW_H
#define TT_STAGES_FLOW_H

#include <linux/errno.h>

#include "maps/flow.h"
#include "maps/packet.h"
#include "abi/event.h"
#include "lib/packet.h"

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
 * What the receiver's own hook has said under this policy stands, if it could not be asked here.
 */
static __always_inline enum tt_verdict tt_flow_reopen(const struct tt_context *context, struct tt_packet *packet,
						      const struct tt_flow_place *place, struct tt_flow *flow, bool is_high, bool is_reply)
{
	const enum tt_verdict verdict = tt_judge(context, packet);

	if (verdict != TT_CONTINUE)
		return verdict;
	if (is_reply || flow->state >= TT_FLOW_CLOSING || tt_flow_is_revoked(flow)) {
		if (tt_flow_store(context, packet, place, is_high, true))
			return tt_drop(packet, TT_REASON_DROP_FLOW_TABLE);
		return tt_flow_opened(packet);
	}
	if (tt_is_counted_here(packet, flow, is_reply))
		tt_track_count(flow, 1, packet->length, is_reply);
	flow->egress_word = packet->egress_word;
	if (packet->ingress_word || flow->generation != packet->generation)
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
	if (!tt_flow_is_revoked(flow))
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

/* What other hooks have cached of a flow no longer holds, and no change of policy will tell them. */
static __always_inline void tt_flow_raise_stamp(const struct tt_context *context)
{
	__sync_fetch_and_add(&context->state->stamp, 1);
}

/*
 * The initiator, at its own hook, if no hook has judged it for this flow yet: the flow was opened while it was not
 * here, or judged again where it could not be named. A reply is enough to ask: it may be all there is.
 */
static __always_inline enum tt_verdict tt_flow_meet_sender(const struct tt_context *context, struct tt_packet *packet,
							   struct tt_flow *flow, bool is_reply)
{
	enum tt_verdict verdict;
	bool is_news;

	if (flow->egress_word || (is_reply && (flow->flags & TT_FLOW_FROM_HOST)))
		return TT_CONTINUE;
	verdict = tt_judge_side(context->endpoint->id, false, is_reply);
	is_news = verdict != TT_CONTINUE || (flow->flags & TT_FLOW_FROM_HOST);
	flow->flags &= ~TT_FLOW_FROM_HOST;
	if (verdict != TT_CONTINUE)
		verdict = tt_flow_revoke(packet, flow);
	else
		flow->egress_word = packet->egress_word;
	if (is_news)
		tt_flow_raise_stamp(context);
	return verdict;
}

/* Likewise the receiver. Denied, it leaves the sender's flow in place, as a drop further down the path would. */
static __always_inline enum tt_verdict tt_flow_meet_receiver(const struct tt_context *context,
							     struct tt_packet *packet, struct tt_flow *flow)
{
	enum tt_verdict verdict;

	if (flow->ingress_word || (flow->flags & TT_FLOW_FROM_HOST))
		return TT_CONTINUE;
	verdict = tt_judge_side(context->endpoint->id, true, false);
	if (verdict == TT_CONTINUE)
		flow->ingress_word = packet->ingress_word;
	return verdict;
}

/* The end that this hook guards, if the flow is new to it. */
static __always_inline enum tt_verdict tt_flow_first_sight(const struct tt_context *context, struct tt_packet *packet,
							   struct tt_flow *flow, bool is_reply)
{
	if ((packet->hook == TT_HOOK_FROM_WORKLOAD) != is_reply)
		return tt_flow_meet_sender(context, packet, flow, is_reply);
	return is_reply ? TT_CONTINUE : tt_flow_meet_receiver(context, packet, flow);
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
	const bool is_revoked = tt_flow_is_revoked(flow);

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
	verdict = tt_flow_first_sight(context, packet, flow, is_reply);
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
	if (!entry || tt_flow_is_unmet(&entry->flow))
		return tt_flow_open(context, packet, &place, is_high);
	is_reply = is_high != (entry->flow.flags & TT_FLOW_FROM_HIGH);
	if (tt_flow_asks_anew(packet, &entry->flow, is_reply)) {
		verdict = tt_flow_reopen(context, packet, &place, &entry->flow, is_high, is_reply);
	} else {
		packet->is_reply = is_reply;
		verdict = tt_flow_continue(context, packet, &entry->flow, is_reply);
		if (verdict == TT_DROP && tt_flow_is_revoked(&entry->flow))
			packet->revoked = entry->flow.flags & TT_FLOW_LOCAL ? TT_REVOKED_LOCAL : TT_REVOKED_ROUTED;
	}
	tt_flow_prolong(context, packet, entry);
	return verdict;
}

#endif
