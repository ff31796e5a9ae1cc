// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* What flow logs need of the kernel, loaded while they are kept: nothing that a packet meets. */
#include "programs/walk.h"
#include "maps/told.h"
#include "stages/flush.h"
#include "stages/clock.h"

/* Never attached: user space runs it on each CPU whose flow cache has counts that wait. */
SEC("tc")
int tt_flush_cache(struct __sk_buff *skb)
{
	return tt_flush(skb) ? TC_ACT_SHOT : TC_ACT_OK;
}

/* Keeps the map. Never run. */
SEC("tc")
int tt_told_here(struct __sk_buff *skb)
{
	const __u32 none = 0;

	return bpf_map_lookup_elem(&tt_flow_told, &none) ? TC_ACT_OK : TC_ACT_SHOT;
}

/* As in workload.bpf.c. */
SEC("tc")
int tt_clock(struct __sk_buff *skb)
{
	return tt_clock_read() ? TC_ACT_SHOT : TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
