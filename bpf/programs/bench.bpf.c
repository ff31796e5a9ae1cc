// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Yardsticks for benchmarks, from the same stages as the real programs. Never attached to an interface. */
#include "programs/walk.h"

/* Where the ports of the measured packet are: behind an IP header without options or extensions. */
const volatile __u32 tt_bench_ports = ETH_HLEN + 20;

/* Flows opened so far, so that each run opens another. */
static __u32 tt_bench_serial;

/* What running any program costs. */
SEC("tc")
int tt_bench_empty(struct __sk_buff *skb)
{
	return TC_ACT_OK;
}

/* Parse, and the sender's policy from the tables alone: no flow is looked up or remembered. */
SEC("tc")
int tt_bench_classify(struct __sk_buff *skb)
{
	struct tt_context context = { .is_fast = true };
	struct tt_packet packet = {};

	if (tt_begin(&context, &packet, skb, TT_HOOK_FROM_WORKLOAD) != TT_CONTINUE ||
	    tt_parse(&context, &packet) != TT_CONTINUE)
		return TC_ACT_SHOT;
	return tt_classify(context.root, &packet, context.endpoint->id, false, false) & TT_WORD_ALLOW ? TC_ACT_OK :
													TC_ACT_SHOT;
}

/* tt_from_work: from the second packet of a flow on, an established one. */
SEC("tc")
int tt_bench_known(struct __sk_buff *skb)
{
	return tt_walk_from_workload(skb);
}

/* tt_from_work on a packet whose ports differ in every run: always a new flow. */
SEC("tc")
int tt_bench_open(struct __sk_buff *skb)
{
	tt_any32 *ports = tt_header(skb, tt_bench_ports, sizeof(*ports));

	if (!ports)
		return TC_ACT_SHOT;
	*ports = tt_bench_serial++;
	return tt_walk_from_workload(skb);
}

char _license[] SEC("license") = "GPL";
