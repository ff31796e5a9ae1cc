// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Entry points at workload interfaces, and the clock. */
#include "maps/clock.h"
#include "programs/walk.h"

SEC("tc")
int tt_from_work(struct __sk_buff *skb)
{
	return tt_walk_from_workload(skb);
}

SEC("tc")
int tt_to_work(struct __sk_buff *skb)
{
	return tt_walk_to_workload(skb);
}

/* Never attached: user space runs it twice, some time apart, and divides. */
SEC("tc")
int tt_clock(struct __sk_buff *skb)
{
	const __u32 only = 0;
	struct tt_clock_reading *reading = bpf_map_lookup_elem(&tt_clocks, &only);

	if (!reading)
		return TC_ACT_SHOT;
	reading->jiffies = bpf_jiffies64();
	reading->monotonic_ns = bpf_ktime_get_ns();
	return TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
