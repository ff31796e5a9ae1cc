// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Entry points at workload interfaces, and the clock. */
#include "programs/walk.h"
#include "stages/clock.h"

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
	return tt_clock_read() ? TC_ACT_SHOT : TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
