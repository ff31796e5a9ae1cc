/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Which lists of the host a packet must pass, and what they say: the path walk of docs/design/dataplane.md. */
#ifndef TT_STAGES_HOST_JUDGE_H
#define TT_STAGES_HOST_JUDGE_H

#include "maps/packet.h"
#include "abi/event.h"
#include "abi/host.h"
#include "lib/packet.h"

/* The word of one list on the packet in that place. A global function, so that all lists cost the verifier one pass. */
__noinline __u32 tt_host_word(__u32 place, __u32 id, __u32 is_ingress, __u32 is_reply)
{
	const struct tt_state *state = tt_state_here();
	const struct tt_packet *packet = tt_packet_at(place);

	if (!packet || !state)
		return 0;
	return tt_classify(&state->root[packet->root_number & 1], packet, id, is_ingress, is_reply);
}

/*
 * What a list decides; TT_CONTINUE also if the interface has no such list. A word that says several things is a denial
 * before all, one that says nothing a hole.
 */
static __always_inline enum tt_verdict tt_host_ask(struct tt_packet *packet, const struct tt_host_lists *lists,
						   __u8 scope, bool is_ingress, bool is_reply, __u8 reason)
{
	__u32 word;

	if (!(lists->flags & 1 << (scope - 1)))
		return TT_CONTINUE;
	word = tt_host_word(packet->place, lists->id[scope - 1], is_ingress, is_reply);
	if (is_ingress) {
		packet->ingress_word = word;
		packet->ingress_scope = scope;
	} else {
		packet->egress_word = word;
		packet->egress_scope = scope;
	}
	if (word & TT_WORD_DENY)
		return tt_drop(packet, reason);
	if (word & TT_WORD_ALLOW)
		return TT_ALLOW;
	return word & TT_WORD_NEXT ? TT_CONTINUE : tt_drop(packet, TT_REASON_DROP_TABLE_HOLE);
}

/* Policy for what the packet was sent to before translation. */
static __always_inline enum tt_verdict tt_host_ask_pre_dnat(struct tt_packet *packet, const tt_skb *skb,
							    const struct tt_host_lists *lists, bool is_reply)
{
	const struct tt_ip source = packet->source, destination = packet->destination;
	const __u32 ports = packet->ports;
	enum tt_verdict verdict;

	if (!(lists->flags & TT_HOST_PRE_DNAT))
		return TT_CONTINUE;
	tt_original_restore(packet, skb, is_reply);
	verdict = tt_host_ask(packet, lists, TT_SCOPE_PRE_DNAT, true, is_reply, TT_REASON_DROP_PRE_DNAT);
	if (verdict == TT_CONTINUE && (packet->ingress_word & TT_WORD_LOG))
		tt_place_of(packet)->pre_dnat_log = packet->ingress_word;
	packet->source = source;
	packet->destination = destination;
	packet->ports = ports;
	return verdict;
}

/* A connection to the host, which came in by an interface with these lists. */
static __always_inline enum tt_verdict tt_host_judge_in(struct tt_packet *packet, const tt_skb *skb,
							const struct tt_host_lists *from, bool is_reply)
{
	const enum tt_verdict verdict = tt_host_ask_pre_dnat(packet, skb, from, is_reply);

	if (verdict == TT_DROP)
		return verdict;
	if (from->flags & TT_HOST_WORKLOAD)
		return from->flags & TT_HOST_DROP_LOCAL ? tt_drop(packet, TT_REASON_DROP_HOST) : TT_ALLOW;
	if (verdict == TT_ALLOW)
		return verdict;
	return tt_host_ask(packet, from, TT_SCOPE_NORMAL, true, is_reply, TT_REASON_DROP_HOST_INGRESS);
}

/* A connection of the host's own, which leaves by an interface with these lists. To its workloads all may go. */
static __always_inline enum tt_verdict tt_host_judge_out(struct tt_packet *packet, const struct tt_host_lists *to,
							 bool is_reply)
{
	if (to->flags & TT_HOST_WORKLOAD) {
		packet->is_from_host = true;
		return TT_ALLOW;
	}
	return tt_host_ask(packet, to, TT_SCOPE_NORMAL, false, is_reply, TT_REASON_DROP_HOST_EGRESS);
}

static __always_inline enum tt_verdict tt_host_judge_forward(struct tt_packet *packet, const tt_skb *skb,
							     const struct tt_host_lists *from,
							     const struct tt_host_lists *to, bool is_reply)
{
	enum tt_verdict verdict = tt_host_ask_pre_dnat(packet, skb, from, is_reply);

	if (verdict == TT_CONTINUE)
		verdict = tt_host_ask(packet, from, TT_SCOPE_FORWARD, true, is_reply, TT_REASON_DROP_HOST_INGRESS);
	if (verdict == TT_DROP)
		return verdict;
	return tt_host_ask(packet, to, TT_SCOPE_FORWARD, false, is_reply, TT_REASON_DROP_HOST_EGRESS);
}

/*
 * Lists that know no connections, on one packet. Between workloads and their host there are none. What comes in is judged as it
 * came, so that it does not matter whether that is done here or by XDP: is_reply is about a packet that runs against it.
 */
static __always_inline enum tt_verdict tt_host_ask_untracked(struct tt_packet *packet, const tt_skb *skb,
							     const struct tt_host_lists *lists, bool is_ingress,
							     bool is_reply)
{
	const struct tt_ip source = packet->source, destination = packet->destination;
	const __u32 ports = packet->ports;
	enum tt_verdict verdict;

	if ((lists->flags & TT_HOST_WORKLOAD) || !(lists->flags & TT_HOST_UNTRACKED))
		return TT_CONTINUE;
	if (is_ingress && is_reply)
		tt_original_restore(packet, skb, true);
	else if (is_ingress)
		tt_arrival_restore(packet, skb);
	verdict = tt_host_ask(packet, lists, TT_SCOPE_UNTRACKED, is_ingress, is_reply, TT_REASON_DROP_UNTRACKED);
	packet->source = source;
	packet->destination = destination;
	packet->ports = ports;
	return verdict;
}

/*
 * The connection of the packet in that place, in the direction it was opened in: is_reply says that the packet runs
 * the other way. TT_CONTINUE: nothing denies it. A global function: its callers cost the verifier one pass.
 * What untracked lists now take of the connection's opener has no connection any more, and the lists that know connections
 * never come to it: then a packet that runs the other way is one that nobody asked for, and opens one itself.
 */
__noinline int tt_host_judge(tt_skb *skb, __u32 place, __u32 is_reply)
{
	struct tt_packet *packet = tt_packet_at(place);
	const struct tt_host_lists *in, *out, *from, *to;
	enum tt_verdict verdict = TT_CONTINUE;

	if (!packet)
		return TT_DROP;
	in = tt_host_lists_at(packet->in_slot, packet->root_number);
	out = tt_host_lists_at(packet->out_slot, packet->root_number);
	if (!in || !out)
		return tt_drop(packet, TT_REASON_DROP_TABLE_HOLE);
	packet->egress_word = 0;
	packet->ingress_word = 0;
	if (is_reply && packet->hook == TT_HOOK_TO_HOST)
		verdict = tt_host_ask_untracked(packet, skb, in, false, true);
	else if (is_reply)
		verdict = tt_host_ask_untracked(packet, skb, out, true, true);
	if (verdict == TT_DROP)
		return verdict;
	if (verdict == TT_ALLOW) {
		is_reply = false;
		packet->is_reply = false;
	}
	from = is_reply ? out : in;
	to = is_reply ? in : out;
	packet->egress_word = 0;
	packet->ingress_word = 0;
	if (packet->hook == TT_HOOK_FORWARD)
		verdict = tt_host_judge_forward(packet, skb, from, to, is_reply);
	else if ((packet->hook == TT_HOOK_TO_HOST) != is_reply)
		verdict = tt_host_judge_in(packet, skb, from, is_reply);
	else
		verdict = tt_host_judge_out(packet, to, is_reply);
	return verdict == TT_DROP ? TT_DROP : TT_CONTINUE;
}

/* What the interface that a forwarded packet leaves by says to it. */
static __always_inline enum tt_verdict tt_host_leave(struct tt_packet *packet)
{
	const struct tt_host_lists *out = tt_host_lists_at(packet->out_slot, packet->root_number);

	if (!out)
		return tt_drop(packet, TT_REASON_DROP_TABLE_HOLE);
	return tt_host_ask(packet, out, TT_SCOPE_FORWARD, false, false, TT_REASON_DROP_HOST_EGRESS);
}

/*
 * Lists that know no connections: each packet in its own direction. TT_CONTINUE: they leave it to the others. What they
 * allow past this interface may still be denied where it leaves.
 */
static __always_inline enum tt_verdict tt_host_untracked(struct tt_packet *packet, const tt_skb *skb)
{
	const bool is_ingress = packet->hook != TT_HOOK_FROM_HOST;
	const struct tt_host_lists *lists;
	enum tt_verdict verdict;

	lists = tt_host_lists_at(is_ingress ? packet->in_slot : packet->out_slot, packet->root_number);
	if (!lists)
		return tt_drop(packet, TT_REASON_DROP_TABLE_HOLE);
	verdict = tt_host_ask_untracked(packet, skb, lists, is_ingress, false);
	if (verdict == TT_CONTINUE && ((packet->egress_word | packet->ingress_word) & TT_WORD_LOG))
		tt_place_of(packet)->untracked_log = packet->egress_word | packet->ingress_word;
	if (verdict != TT_ALLOW)
		return verdict;
	if (packet->hook == TT_HOOK_FORWARD && tt_host_leave(packet) == TT_DROP)
		return TT_DROP;
	return tt_allow(packet, TT_REASON_ALLOWED_UNTRACKED);
}

#endif
