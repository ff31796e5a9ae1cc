/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Sizes and number spaces shared by every table. Only enums and structs that cross the boundary live in bpf/abi. */
#ifndef TT_ABI_COMMON_H
#define TT_ABI_COMMON_H

/*
 * Part of the pin paths. VERSION is that of every layout under bpf/abi but those that LIVE_VERSION is of: flows, what is told
 * of them, fragments, the flow cache and the counters, which programs of one layout hand on to those of another. Bump the one
 * that a layout belongs to in the commit that changes it, and VERSION with LIVE_VERSION: only programs of another VERSION take
 * over at one instant. A new map needs a bump too. test/abi/pinned-layouts.test.ts tells.
 */
enum tt_layout {
	TT_LAYOUT_VERSION = 4,
	TT_LAYOUT_LIVE_VERSION = 2,
};

/* An address of either family: IPv4 is stored as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
struct tt_address {
	__be32 word[4];
};

#endif
