// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * The programs of the host's hooks, and the last step of a SYN there by itself: what it does once others had the time between
 * what the hook saw of a flow and what it makes of it.
 */
#include "programs/host.bpf.c"

SEC("netfilter")
int tt_late(struct bpf_nf_ctx *skb)
{
	struct tt_host_here here = {};
	struct tt_packet_place *place;
	struct tt_flow_place at = {};
	struct tt_context context;
	int verdict = TT_DROP;
	__u32 number = 0;
	bool is_high;

	if (!tt_host_arrive(&here, skb, TT_HOOK_FORWARD))
		return TT_NF_DROP;
	place = tt_packet_take(&number);
	if (!place)
		return TT_NF_DROP;
	__builtin_memset(&place->packet, 0, sizeof(place->packet));
	place->packet.place = number;
	if (tt_host_begin(&context, &place->packet, skb, &here, TT_HOOK_FORWARD) == TT_CONTINUE &&
	    tt_host_parse(skb, number) == TT_CONTINUE && tt_flow_lookup(&context, &place->packet, &at, &is_high))
		verdict = tt_host_start_over(&context, &place->packet, &at, is_high);
	tt_report(&place->packet);
	tt_packet_give_back(place);
	return verdict == TT_ALLOW ? TT_NF_ACCEPT : TT_NF_DROP;
}
