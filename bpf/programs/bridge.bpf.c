// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * What workload interfaces run while one layout takes over from another: each packet goes to the programs of the side in
 * force, so that one store moves all interfaces at once. A side without programs drops.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "maps/takeover.h"

static __always_inline int tt_cross(struct __sk_buff *skb, __u32 program)
{
	const __u32 only = 0;
	const struct tt_switch *state = bpf_map_lookup_elem(&tt_switch, &only);

	if (!state)
		return TC_ACT_SHOT;
	bpf_tail_call(skb, &tt_sides, (*(const volatile __u32 *)&state->active & 1) * TT_SIDE_ROOM + program);
	return TC_ACT_SHOT;
}

SEC("tc")
int tt_cross_from(struct __sk_buff *skb)
{
	return tt_cross(skb, TT_SIDE_FROM_WORKLOAD);
}

SEC("tc")
int tt_cross_to(struct __sk_buff *skb)
{
	return tt_cross(skb, TT_SIDE_TO_WORKLOAD);
}

char _license[] SEC("license") = "GPL";
