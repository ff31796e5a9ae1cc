/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Whether all of a flow has been told: asked by the programs, answered by user space. Compiled for both. */
#ifndef TT_LIB_TOLD_H
#define TT_LIB_TOLD_H

#include <linux/types.h>

#include "abi/flow.h"

static inline __attribute__((always_inline)) __u64 tt_told_mix(__u64 sum, __u64 value)
{
	sum = (sum ^ value) * 0x9e3779b97f4a7c15ULL;
	return sum ^ sum >> 32;
}

/*
 * Of all that a flow log says of a flow. Where user space wrote another flow's into a place that had just been given away, or
 * where anything has happened since, it is another one. Never 0, which is what a new flow has.
 */
static inline __attribute__((always_inline)) __u64 tt_told_fingerprint(const struct tt_flow *flow)
{
	__u64 sum = flow->created_jiffies;

	sum = tt_told_mix(sum, flow->packets[0]);
	sum = tt_told_mix(sum, flow->packets[1]);
	sum = tt_told_mix(sum, flow->bytes[0]);
	sum = tt_told_mix(sum, flow->bytes[1]);
	return tt_told_mix(sum, (__u64)flow->egress_word << 32 | flow->ingress_word) | 1;
}

#endif
