/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* All that is done before the stack: blocked sources first, then what the interface asks for besides. */
#ifndef TT_STAGES_GUARD_JUDGE_H
#define TT_STAGES_GUARD_JUDGE_H

#include "stages/guard.h"
#include "stages/guard-more.h"

/* Judges one frame. Returns the XDP action. */
static __always_inline int tt_guard_judge(struct xdp_md *frame)
{
	if (tt_guard_judge_source(frame) == XDP_DROP)
		return XDP_DROP;
	return tt_guard_asks_more() ? tt_guard_more(frame) : XDP_PASS;
}

#endif
