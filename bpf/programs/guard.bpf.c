// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* The guard at a machine's own interfaces: blocked sources end here, before the kernel has made a packet of the frame. */
#define TT_AT_XDP
#include "stages/guard-judge.h"

SEC("xdp")
int tt_guard(struct xdp_md *frame)
{
	return tt_guard_judge(frame);
}

char _license[] SEC("license") = "GPL";
