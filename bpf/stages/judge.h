/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Which policies a connection must pass: the sender's egress, the receiver's ingress, where those are local. */
#ifndef TT_STAGES_JUDGE_H
#define TT_STAGES_JUDGE_H

#include "maps/packet.h"
#include "abi/event.h"
#include "abi/flow.h"
#include "lib/packet.h"

/*
 * One endpoint's policy in one direction, on the packet in tt_packets; leaves the word there. A word that says both is
 * a denial. A global function, so that its four callers cost the verifier one pass.
 */
__noinline int tt_judge_side(__u32 id, __u32 is_ingress, __u32 is_reply)
{
	const struct tt_state *state = tt_state_here();
	struct tt_packet *packet = tt_packet_here();
	__u32 word;

	if (!packet || !state)
		return TT_DROP;
	word = tt_classify(&state->root[packet->root_number & 1], packet, id, is_ingress, is_reply);
	if (is_ingress)
		packet->ingress_word = word;
	else
		packet->egress_word = word;
	if (word & TT_WORD_DENY)
		return tt_drop(packet, is_ingress ? TT_REASON_DROP_INGRESS_POLICY : TT_REASON_DROP_EGRESS_POLICY);
	return word & TT_WORD_ALLOW ? TT_CONTINUE : tt_drop(packet, TT_REASON_DROP_TABLE_HOLE);
}

/* A connection opened by the endpoint's workload: both ends' policies in one run when both are here. */
static __always_inline enum tt_verdict tt_judge_from_workload(const struct tt_context *context,
							      struct tt_packet *packet)
{
	enum tt_verdict verdict = tt_judge_side(context->endpoint->id, false, false);

	if (verdict != TT_CONTINUE)
		return verdict;
	if (packet->peer_id == TT_NO_ENDPOINT)
		return tt_host(context, packet);
	if (!packet->is_peer_ready)
		return tt_drop(packet, TT_REASON_DROP_NOT_READY);
	return tt_judge_side(packet->peer_id, true, false);
}

/* A connection seen first on its way to the endpoint. What no interface brought in, the host itself sent. */
static __always_inline enum tt_verdict tt_judge_to_workload(const struct tt_context *context, struct tt_packet *packet)
{
	if (!context->skb->ingress_ifindex) {
		packet->is_from_host = true;
		return TT_CONTINUE;
	}
	return tt_judge_side(context->endpoint->id, true, false);
}

/* The packet opens a connection in its own direction. */
static __always_inline enum tt_verdict tt_judge(const struct tt_context *context, struct tt_packet *packet)
{
	if (packet->hook == TT_HOOK_FROM_WORKLOAD)
		return tt_judge_from_workload(context, packet);
	return tt_judge_to_workload(context, packet);
}

/*
 * The connection again, in the direction it was opened in, by the policy in force now. An end that cannot be named
 * from here, because it sends from a prefix or has left, gets word 0: if it is local after all, its own hook judges it
 * on the next packet.
 */
static __always_inline enum tt_verdict tt_judge_again(const struct tt_context *context, struct tt_packet *packet,
						      bool is_reply)
{
	const bool is_initiator_here = (packet->hook == TT_HOOK_FROM_WORKLOAD) != is_reply;
	enum tt_verdict verdict = TT_CONTINUE;
	__u32 sender, receiver;

	if (packet->hook == TT_HOOK_TO_WORKLOAD)
		tt_locate_address(packet, &packet->source);
	sender = is_initiator_here ? context->endpoint->id : packet->peer_id;
	receiver = is_initiator_here ? packet->peer_id : context->endpoint->id;
	if (sender != TT_NO_ENDPOINT)
		verdict = tt_judge_side(sender, false, is_reply);
	if (verdict == TT_CONTINUE && receiver != TT_NO_ENDPOINT)
		verdict = tt_judge_side(receiver, true, is_reply);
	return verdict;
}

#endif
