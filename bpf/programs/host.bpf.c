// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Entry points at netfilter's hooks of the host, where the kernel has decided what becomes of a packet. */
#define TT_AT_NETFILTER
#include "stages/host-begin.h"
#include "stages/extensions.h"
#include "stages/parse.h"
#include "stages/neighbour.h"
#include "stages/fragments.h"
#include "stages/key.h"
#include "stages/track.h"
#include "stages/report.h"
#include "stages/capture.h"
#include "stages/flow-told.h"
#include "stages/flow-table.h"
#include "stages/classify.h"
#include "stages/host-original.h"
#include "stages/host-judge.h"
#include "stages/host-report.h"
#include "stages/flow-enter.h"
#include "stages/host-flow.h"
#include "stages/host-glance.h"
#include "stages/host-known.h"
#include "stages/related.h"

/* Return codes of netfilter programs: linux/netfilter.h. */
enum tt_netfilter {
	TT_NF_DROP = 0,
	TT_NF_ACCEPT = 1,
};

/* Headers of the packet in that place. A global function: the family is not known, and costs the verifier one pass. */
__noinline int tt_host_parse(tt_skb *skb, __u32 place)
{
	struct tt_packet *packet = tt_packet_at(place);
	struct tt_context context;
	enum tt_verdict verdict;

	if (!packet || tt_resume(&context, packet, skb))
		return TT_DROP;
	if (tt_bytes_open(skb, &context.bytes))
		verdict = tt_drop(packet, TT_REASON_DROP_TRUNCATED);
	else if (skb->state->pf == TT_NFPROTO_IPV4)
		verdict = tt_parse_ip(&context, packet, 4);
	else
		verdict = tt_parse_ip(&context, packet, 6);
	tt_bytes_close(&context.bytes);
	return verdict;
}

/* The packet in that place, which is denied. A global function: verified once. */
__noinline int tt_host_capture(tt_skb *skb, __u32 place)
{
	const struct tt_packet *packet = tt_packet_at(place);

	if (packet)
		tt_capture(skb, packet, true);
	return TT_NF_DROP;
}

/* All that a packet must pass. Leaves the verdict's reason in the packet. */
static __always_inline enum tt_verdict tt_host_stages(struct tt_packet *packet, tt_skb *skb,
						      const struct tt_host_here *here, __u8 hook)
{
	struct tt_context context;
	enum tt_verdict verdict = tt_host_begin(&context, packet, skb, here, hook);

	if (verdict == TT_CONTINUE)
		verdict = tt_host_parse(skb, packet->place);
	if (verdict == TT_CONTINUE)
		verdict = tt_neighbour(packet);
	if (verdict == TT_CONTINUE)
		verdict = tt_fragment_ports(&context, packet);
	if (verdict == TT_CONTINUE)
		verdict = tt_host_untracked(packet, skb);
	if (verdict == TT_CONTINUE)
		verdict = tt_related(&context, packet);
	if (verdict == TT_CONTINUE)
		verdict = tt_host_flow(&context, packet);
	return verdict;
}

/* A packet that some list may have a say in. Returns the program's return code. A global function: verified once. */
__noinline int tt_host_walk(tt_skb *skb, __u32 hook)
{
	struct tt_host_here here = {};
	struct tt_packet_place *place;
	enum tt_verdict verdict;
	__u32 number = 0;

	if (!tt_host_arrive(&here, skb, hook))
		return TT_NF_ACCEPT;
	place = tt_packet_take(&number);
	if (!place) {
		tt_count(TT_REASON_DROP_NO_ROOM, skb->skb->len);
		return TT_NF_DROP;
	}
	__builtin_memset(&place->packet, 0, sizeof(place->packet));
	place->packet.place = number;
	place->untracked_log = 0;
	place->pre_dnat_log = 0;
	verdict = tt_host_stages(&place->packet, skb, &here, hook);
	tt_report(&place->packet);
	if (verdict != TT_ALLOW && (here.state->flags & TT_CAPTURE_DENIED))
		tt_host_capture(skb, number);
	tt_host_report_passed(place);
	tt_packet_give_back(place);
	return verdict == TT_ALLOW ? TT_NF_ACCEPT : TT_NF_DROP;
}

/* The verifier takes a global function to return anything, and wants to see one of the two; the compiler knows better. */
static __always_inline int tt_host_run(tt_skb *skb, __u32 hook)
{
	int code = tt_host_walk(skb, hook);

	asm volatile("" : "+r"(code));
	return code & TT_NF_ACCEPT;
}

/* Whether the packet passes without more ado. Functions of their own: what they need of the stack is free again for others. */
static __always_inline int tt_host_pass(tt_skb *skb, __u8 hook)
{
	struct tt_host_here here = {};

	return !tt_host_arrive(&here, skb, hook) || (here.is_tracked && tt_host_known(skb, &here, hook));
}

static __noinline int tt_pass_to_host(tt_skb *skb)
{
	return tt_host_pass(skb, TT_HOOK_TO_HOST);
}

static __noinline int tt_pass_forward(tt_skb *skb)
{
	return tt_host_pass(skb, TT_HOOK_FORWARD);
}

static __noinline int tt_pass_from_host(tt_skb *skb)
{
	return tt_host_pass(skb, TT_HOOK_FROM_HOST);
}

SEC("netfilter")
int tt_to_host(struct bpf_nf_ctx *context)
{
	return tt_pass_to_host(context) ? TT_NF_ACCEPT : tt_host_run(context, TT_HOOK_TO_HOST);
}

SEC("netfilter")
int tt_forward(struct bpf_nf_ctx *context)
{
	return tt_pass_forward(context) ? TT_NF_ACCEPT : tt_host_run(context, TT_HOOK_FORWARD);
}

SEC("netfilter")
int tt_from_host(struct bpf_nf_ctx *context)
{
	return tt_pass_from_host(context) ? TT_NF_ACCEPT : tt_host_run(context, TT_HOOK_FROM_HOST);
}

char _license[] SEC("license") = "GPL";
