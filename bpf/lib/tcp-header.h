/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The header of TCP segments that programs read whole or write, and what the IP header of those says. No maps, no policy. */
#ifndef TT_LIB_TCP_HEADER_H
#define TT_LIB_TCP_HEADER_H

#include <linux/types.h>
#include <stddef.h>

enum tt_segment_constants {
	TT_SEGMENT_HOP_LIMIT = 64,
	TT_SEGMENT_DONT_FRAGMENT = 0x4000,
	TT_TCP_CHECK_AT = 16, /* in the TCP header */
};

/* Without options, in words: only so many that the sum over them is as simple as they are. */
struct tt_tcp_header {
	__be16 source;
	__be16 destination;
	__be32 sequence;
	__be32 acknowledged;
	__u8 length; /* in words, upper half */
	__u8 flags;
	__be16 window;
	__be16 check;
	__be16 urgent;
};

_Static_assert(offsetof(struct tt_tcp_header, check) == TT_TCP_CHECK_AT, "where helpers are told that it is");

#endif
