// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* The guard for frames of several buffers (5.18): drivers with large MTUs take no other. It reads no further than the first. */
#define TT_AT_XDP
#define TT_FRAMES_IN_PARTS
#include "stages/guard-judge.h"

SEC("xdp.frags")
int tt_guard(struct xdp_md *frame)
{
	return tt_guard_judge(frame);
}

char _license[] SEC("license") = "GPL";
