/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Sums of 32-bit words, and the Internet checksum (RFC 1071) of one. No maps, no policy. */
#ifndef TT_LIB_CHECKSUM_H
#define TT_LIB_CHECKSUM_H

#include <bpf/bpf_helpers.h>

#include "lib/ip.h"

/* The Internet checksum of a sum of 32-bit words. */
static __always_inline __u16 tt_sum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __always_inline __u64 tt_sum_words(const void *at, const __u32 words)
{
	const tt_any32 *word = at;
	__u64 sum = 0;

#pragma clang loop unroll(full)
	for (__u32 i = 0; i < words; i++)
		sum += word[i];
	return sum;
}

#endif
