// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Yardsticks for benchmarks, from the same stages as the real programs. Never attached to an interface. */
#include "programs/walk.h"
#include "stages/clock.h"

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

/* Floor of every verdict: the packet is read, and nothing is made of it. */
SEC("tc")
int tt_bench_parse(struct __sk_buff *skb)
{
	struct tt_context context = { .is_fast = true };
	struct tt_packet packet = {};
	enum tt_verdict verdict;

	if (tt_arrive(&context, &packet, skb, TT_HOOK_FROM_WORKLOAD) != TT_CONTINUE)
		return TC_ACT_SHOT;
	packet.link = tt_link(skb);
	if (packet.link >> TT_LINK_ETHERTYPE == bpf_htons(ETH_P_IP))
		verdict = tt_parse_ip(&context, &packet, 4);
	else
		verdict = tt_parse_ip(&context, &packet, 6);
	if (verdict != TT_CONTINUE || !packet.ports)
		return TC_ACT_SHOT;
	return tt_ip_is_zero(&packet.source) || tt_ip_is_zero(&packet.destination) ? TC_ACT_SHOT : TC_ACT_OK;
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

/* Never attached: see tt_clock of the workload programs. */
SEC("tc")
int tt_clock(struct __sk_buff *skb)
{
	return tt_clock_read() ? TC_ACT_SHOT : TC_ACT_OK;
}

/* Floor of a new flow: one read at a random place of the flow table's index, as for a flow that is not there. */
SEC("tc")
int tt_bench_memory(struct __sk_buff *skb)
{
	const __u64 mixed = (__u64)tt_bench_serial++ * 0x9e3779b97f4a7c15ULL;
	const __u32 number = mixed >> 32 & (tt_flow_regions - 1);
	struct tt_flow_region *region = tt_flow_region_at(number);

	if (!region)
		return TC_ACT_SHOT;
	return tt_lanes(tt_flow_bucket(region, mixed >> 44)->tag, 0) == ~0ULL ? TC_ACT_SHOT : TC_ACT_OK;
}

/* Floor of a new flow: one of the flow table's locks, taken and given back. */
SEC("tc")
int tt_bench_lock(struct __sk_buff *skb)
{
	const __u32 number = tt_bench_serial++ & (tt_flow_regions - 1);
	struct tt_flow_lock *lock = bpf_map_lookup_elem(&tt_flow_locks, &number);

	if (!lock)
		return TC_ACT_SHOT;
	bpf_spin_lock(&lock->lock);
	bpf_spin_unlock(&lock->lock);
	return TC_ACT_OK;
}

/* Floor of a new flow: one event, reserved and submitted empty. */
SEC("tc")
int tt_bench_event(struct __sk_buff *skb)
{
	struct tt_event *event = bpf_ringbuf_reserve(&tt_events, sizeof(*event), 0);

	if (!event)
		return TC_ACT_SHOT;
	__builtin_memset(event, 0, sizeof(*event));
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	return TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
