/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The order of the stages at each hook. Nothing else: what a stage does is in bpf/stages. */
#ifndef TT_PROGRAMS_WALK_H
#define TT_PROGRAMS_WALK_H

#include "stages/begin.h"
#include "stages/extensions.h"
#include "stages/parse.h"
#include "stages/ethernet.h"
#include "stages/neighbour.h"
#include "stages/spoof.h"
#include "stages/fragments.h"
#include "stages/key.h"
#include "stages/track.h"
#include "stages/report.h"
#include "stages/capture.h"
#include "stages/flow-told.h"
#include "stages/flow-table.h"
#include "stages/cache.h"
#include "stages/locate.h"
#include "stages/classify.h"
#include "stages/host.h"
#include "stages/judge.h"
#include "stages/flow-enter.h"
#include "stages/flow.h"
#include "stages/related.h"
#include "stages/deliver.h"
#include "stages/reset.h"

/* All that a packet must pass, from its first byte. Leaves the verdict's reason in the packet. */
static __always_inline enum tt_verdict tt_walk_stages(struct tt_context *context, struct tt_packet *packet,
						      struct __sk_buff *skb, __u8 hook)
{
	enum tt_verdict verdict = tt_begin(context, packet, skb, hook);

	if (verdict == TT_CONTINUE && hook == TT_HOOK_FROM_WORKLOAD)
		verdict = tt_spoof_mac(context, packet);
	if (verdict == TT_CONTINUE)
		verdict = tt_parse(context, packet);
	if (verdict == TT_CONTINUE)
		verdict = tt_neighbour(packet);
	if (verdict == TT_CONTINUE && hook == TT_HOOK_FROM_WORKLOAD)
		verdict = tt_spoof_address(context, packet);
	if (verdict == TT_CONTINUE)
		verdict = tt_fragment_ports(context, packet);
	if (verdict == TT_CONTINUE && hook == TT_HOOK_FROM_WORKLOAD)
		verdict = tt_locate(packet);
	if (verdict == TT_CONTINUE)
		verdict = tt_related(context, packet);
	if (verdict == TT_CONTINUE)
		verdict = tt_flow(context, packet);
	return verdict;
}

/* A global function, so that what it takes is verified once. */
__noinline int tt_walk_capture(struct __sk_buff *skb, __u32 is_denied)
{
	const struct tt_packet *packet = tt_packet_here();

	if (packet)
		tt_capture(skb, packet, is_denied);
	return TC_ACT_OK;
}

/*
 * The end of a packet that somebody may want to capture: at the hook that it met, and once more where it is handed to the
 * receiver past that one's hook.
 */
__noinline int tt_walk_captured(struct __sk_buff *skb, __u32 is_allowed)
{
	struct tt_packet *packet = tt_packet_here();
	int code;

	if (!packet)
		return TC_ACT_SHOT;
	if (!is_allowed) {
		if (packet->captures & TT_CAPTURE_DENIED_ANYWHERE)
			tt_walk_capture(skb, true);
		return TC_ACT_SHOT;
	}
	if (packet->captures & TT_CAPTURE_ALLOWED)
		tt_walk_capture(skb, false);
	if (packet->hook != TT_HOOK_FROM_WORKLOAD)
		return TC_ACT_OK;
	code = tt_deliver(skb, packet);
	if (code == TC_ACT_REDIRECT && (packet->captures & TT_CAPTURE_ALLOWED << TT_CAPTURE_PEER_SHIFT)) {
		packet->hook = TT_HOOK_TO_WORKLOAD;
		packet->ifindex = packet->target;
		tt_walk_capture(skb, false);
	}
	return code;
}

/* The slow path; returns the program's return code. A global function, verified apart from the fast path. */
__noinline int tt_walk(struct __sk_buff *skb, __u32 hook)
{
	struct tt_packet *packet = tt_packet_here();
	struct tt_context context = {};
	enum tt_verdict verdict;
	int code;

	if (skb->mark && tt_reset_is_ours(skb))
		return TC_ACT_OK;
	if (!packet)
		return TC_ACT_SHOT;
	__builtin_memset(packet, 0, sizeof(*packet));
	verdict = tt_walk_stages(&context, packet, skb, hook & 1);
	tt_report(packet);
	if (packet->captures)
		code = tt_walk_captured(skb, verdict == TT_ALLOW);
	else if (verdict != TT_ALLOW)
		code = TC_ACT_SHOT;
	else
		return packet->hook == TT_HOOK_FROM_WORKLOAD ? tt_deliver(skb, packet) : TC_ACT_OK;
	if (packet->revoked)
		tt_reset(skb);
	return code;
}

/* The fast path from parse to cache. Called with the family as a constant: each gets straight code of its own. */
static __always_inline enum tt_verdict tt_walk_cached(const struct tt_context *context, struct tt_packet *packet,
						      __u8 family)
{
	if (tt_parse_ip(context, packet, family) != TT_CONTINUE)
		return TT_CONTINUE;
	if (tt_cache(context, packet) != TT_ALLOW)
		return TT_CONTINUE;
	tt_count(TT_REASON_ALLOWED_CACHED, packet->length);
	return TT_ALLOW;
}

/* TT_ALLOW: the flow cache answered, all is counted. TT_CONTINUE: nothing happened yet. */
static __always_inline enum tt_verdict tt_walk_fast(struct tt_packet *packet, struct __sk_buff *skb, __u8 hook)
{
	struct tt_context context = { .is_fast = true };

	if (tt_arrive(&context, packet, skb, hook) != TT_CONTINUE)
		return TT_CONTINUE;
	if (skb->vlan_present)
		return TT_CONTINUE;
	packet->link = tt_link(skb);
	if (packet->link >> TT_LINK_ETHERTYPE == bpf_htons(ETH_P_IP))
		return tt_walk_cached(&context, packet, 4);
	if (packet->link >> TT_LINK_ETHERTYPE == bpf_htons(ETH_P_IPV6))
		return tt_walk_cached(&context, packet, 6);
	return TT_CONTINUE;
}

/* A packet leaves a workload: tc ingress of the interface's host side. */
static __always_inline int tt_walk_from_workload(struct __sk_buff *skb)
{
	struct tt_packet packet = {};

	if (tt_walk_fast(&packet, skb, TT_HOOK_FROM_WORKLOAD) == TT_ALLOW)
		return tt_deliver(skb, &packet);
	return tt_walk(skb, TT_HOOK_FROM_WORKLOAD);
}

/* A packet reaches a workload: tc egress of the interface's host side. */
static __always_inline int tt_walk_to_workload(struct __sk_buff *skb)
{
	struct tt_packet packet = {};

	if (tt_walk_fast(&packet, skb, TT_HOOK_TO_WORKLOAD) == TT_ALLOW)
		return TC_ACT_OK;
	return tt_walk(skb, TT_HOOK_TO_WORKLOAD);
}

#endif
