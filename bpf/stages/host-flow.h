/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The flow table at the host's hooks: what the host's lists have said of a connection, apart from workloads' policy. */
#ifndef TT_STAGES_HOST_FLOW_H
#define TT_STAGES_HOST_FLOW_H

#include <linux/errno.h>

#include "maps/flow.h"
#include "maps/packet.h"
#include "abi/event.h"
#include "lib/packet.h"

_Static_assert((__u32)TT_COUNTER_ROOM <= (__u32)TT_HOST_DENIES_REPLY, "a reason and the bit are one byte");

static __always_inline __u32 tt_host_generation(__u64 said)
{
	return (__u32)said;
}

static __always_inline bool tt_host_is_denied(__u64 said)
{
	return (said >> 32) & TT_WORD_DENY;
}

/* Nobody had anything to say: of no interest to anybody. */
static __always_inline enum tt_verdict tt_host_opened(struct tt_packet *packet)
{
	return tt_allow(packet,
			packet->egress_word | packet->ingress_word ? TT_REASON_ALLOWED_NEW : TT_REASON_ALLOWED_UNPOLICED);
}

/* As everywhere: allowed under the generation in force, or under any if established flows are kept. */
static __always_inline bool tt_flow_is_current(const struct tt_context *context, const struct tt_packet *packet,
					       const struct tt_flow *flow)
{
	const __u64 said = tt_flow_host(flow);

	if (!tt_host_generation(said) || tt_host_is_denied(said))
		return false;
	return tt_host_generation(said) == packet->generation || (context->state->flags & TT_STATE_KEEP_ESTABLISHED);
}

static __always_inline enum tt_verdict tt_host_open(const struct tt_context *context, struct tt_packet *packet,
						    const struct tt_flow_place *place, bool is_high)
{
	struct tt_flow_entry *entry;
	long error;

	if (tt_host_judge(context->skb, packet->place, false) != TT_CONTINUE)
		return TT_DROP;
	error = tt_flow_store(context, packet, place, is_high, false);
	if (!error)
		return tt_host_opened(packet);
	if (error != -EEXIST)
		return tt_drop(packet, TT_REASON_DROP_FLOW_TABLE);
	entry = tt_flow_at(&packet->key, place);
	if (entry && (entry->flow.flags & TT_FLOW_UNMET))
		tt_track_count(&entry->flow, 1, packet->length, is_high != (entry->flow.flags & TT_FLOW_FROM_HIGH));
	return tt_allow(packet, TT_REASON_ALLOWED_FLOW);
}

static __always_inline bool tt_host_asks_anew(const struct tt_packet *packet)
{
	return packet->protocol == TT_PROTO_TCP && (packet->tcp_flags & (TT_TCP_SYN | TT_TCP_ACK)) == TT_TCP_SYN;
}

/* A workload's hook may have met the flow meanwhile: then it is that hook's, and what is said here is asked again. */
static __always_inline enum tt_verdict tt_host_start_over(const struct tt_context *context, struct tt_packet *packet,
							  const struct tt_flow_place *place, bool is_high)
{
	const long error = tt_flow_store(context, packet, place, is_high, true);

	if (!error)
		return tt_host_opened(packet);
	if (error != -EEXIST)
		return tt_drop(packet, TT_REASON_DROP_FLOW_TABLE);
	return tt_allow(packet, TT_REASON_ALLOWED_FLOW);
}

/*
 * A SYN on a known flow is judged in its own direction, and leaves the flow alone if denied. Allowed, it starts the flow
 * over if that was ending, denied or ran the other way; not if a workload has judged it: it does so itself.
 */
static __always_inline enum tt_verdict tt_host_reopen(const struct tt_context *context, struct tt_packet *packet,
						      const struct tt_flow_place *place, struct tt_flow *flow,
						      bool is_high, bool is_reply)
{
	const __u64 said = tt_flow_host(flow);

	if (tt_host_judge(context->skb, packet->place, false) != TT_CONTINUE)
		return TT_DROP;
	if (flow->flags & TT_FLOW_UNMET) {
		if (is_reply || flow->state >= TT_FLOW_CLOSING || tt_host_is_denied(said))
			return tt_host_start_over(context, packet, place, is_high);
		tt_track_count(flow, 1, packet->length, false);
		flow->seen_jiffies = packet->jiffies;
	}
	if (is_reply)
		return tt_allow(packet, TT_REASON_ALLOWED_FLOW);
	tt_flow_host_set(flow, tt_host_said(packet));
	return said ? tt_allow(packet, TT_REASON_ALLOWED_FLOW) : tt_host_opened(packet);
}

/* Lists that have changed deny a flow that they allowed. It stays in the table, as flows of workloads do. */
static __always_inline enum tt_verdict tt_host_revoke(struct tt_packet *packet, struct tt_flow *flow, bool is_reply,
						      bool is_news)
{
	if (packet->reason == TT_REASON_DROP_TABLE_HOLE)
		return TT_DROP;
	flow->host_reason = packet->reason | (is_reply && !packet->is_reply ? TT_HOST_DENIES_REPLY : 0);
	tt_flow_host_set(flow, tt_host_said(packet) | (__u64)TT_WORD_DENY << 32);
	flow->seen_jiffies = packet->jiffies;
	if (is_news)
		packet->reason = TT_REASON_DROP_REVOKED;
	return TT_DROP;
}

/* Which list has said so. */
static __always_inline __u8 tt_host_scope_of(const struct tt_packet *packet, __u8 reason)
{
	if (reason == TT_REASON_DROP_UNTRACKED)
		return TT_SCOPE_UNTRACKED;
	if (reason == TT_REASON_DROP_PRE_DNAT)
		return TT_SCOPE_PRE_DNAT;
	return packet->hook == TT_HOOK_FORWARD ? TT_SCOPE_FORWARD : TT_SCOPE_NORMAL;
}

/*
 * Nothing has changed since it was denied; the flow is remembered for as long as somebody tries. Untracked lists deny a
 * flow only when a reply asks them: of what the host has opened it is the egress list.
 */
static __always_inline enum tt_verdict tt_host_stay_denied(struct tt_packet *packet, struct tt_flow *flow, __u32 word)
{
	const __u8 noted = flow->host_reason, reason = noted & ~TT_HOST_DENIES_REPLY;

	if (noted & TT_HOST_DENIES_REPLY)
		packet->is_reply = false;
	packet->egress_word = 0;
	packet->ingress_word = 0;
	if (reason == TT_REASON_DROP_HOST_EGRESS ||
	    (reason == TT_REASON_DROP_UNTRACKED && packet->hook == TT_HOOK_TO_HOST)) {
		packet->egress_word = word;
		packet->egress_scope = tt_host_scope_of(packet, reason);
	} else {
		packet->ingress_word = word;
		packet->ingress_scope = tt_host_scope_of(packet, reason);
	}
	flow->seen_jiffies = packet->jiffies;
	return tt_drop(packet, reason);
}

/*
 * What the host's lists say of a known flow, asked again in the direction it was opened in if they have changed, or for
 * the first time: a denial then leaves the flow as it is, for a workload's hook has entered it. TT_ALLOW: it is new here.
 */
static __always_inline enum tt_verdict tt_host_renew(const struct tt_context *context, struct tt_packet *packet,
						     struct tt_flow *flow, bool is_reply)
{
	const __u64 said = tt_flow_host(flow);

	if (tt_flow_is_current(context, packet, flow))
		return TT_CONTINUE;
	if (tt_host_is_denied(said) && tt_host_generation(said) == packet->generation)
		return tt_host_stay_denied(packet, flow, said >> 32);
	if (tt_host_judge(context->skb, packet->place, is_reply) != TT_CONTINUE)
		return said ? tt_host_revoke(packet, flow, is_reply, !tt_host_is_denied(said)) : TT_DROP;
	tt_flow_host_set(flow, tt_host_said(packet));
	return said ? TT_CONTINUE : TT_ALLOW;
}

static __always_inline enum tt_verdict tt_host_continue(const struct tt_context *context, struct tt_packet *packet,
							struct tt_flow *flow, bool is_reply)
{
	const enum tt_verdict verdict = tt_host_renew(context, packet, flow, is_reply);

	if (verdict == TT_DROP)
		return verdict;
	tt_track_state(packet, flow, is_reply);
	flow->seen_jiffies = packet->jiffies;
	/* Otherwise it counts at a workload's hook. */
	if (flow->flags & TT_FLOW_UNMET)
		tt_track_count(flow, 1, packet->length, is_reply);
	return verdict == TT_ALLOW ? tt_host_opened(packet) : tt_allow(packet, TT_REASON_ALLOWED_FLOW);
}

static __always_inline enum tt_verdict tt_host_flow(const struct tt_context *context, struct tt_packet *packet)
{
	struct tt_flow_entry *entry;
	struct tt_flow_place place;
	enum tt_verdict verdict;
	bool is_high, is_reply;

	entry = tt_flow_lookup(context, packet, &place, &is_high);
	if (!entry && tt_is_echo_reply(packet->protocol, packet->kind, packet->icmp_type)) {
		/* Nobody asked: it stands for itself, and must not open the asker's flow. */
		packet->kind = TT_FLOW_ICMP_OTHER;
		entry = tt_flow_lookup(context, packet, &place, &is_high);
	}
	if (!entry)
		return tt_host_open(context, packet, &place, is_high);
	is_reply = is_high != (entry->flow.flags & TT_FLOW_FROM_HIGH);
	if (tt_host_asks_anew(packet)) {
		verdict = tt_host_reopen(context, packet, &place, &entry->flow, is_high, is_reply);
	} else {
		packet->is_reply = is_reply;
		verdict = tt_host_continue(context, packet, &entry->flow, is_reply);
	}
	tt_flow_prolong(context, packet, entry);
	return verdict;
}

#endif
