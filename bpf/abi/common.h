/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Sizes and number spaces shared by every table. Only enums and structs that cross the boundary live in bpf/abi. */
#ifndef TT_ABI_COMMON_H
#define TT_ABI_COMMON_H

/* Version of every layout under bpf/abi; part of the pin path. Bump it in the commit that changes a layout. */
enum tt_layout {
	TT_LAYOUT_VERSION = 2,
};

/* An address of either family: IPv4 is stored as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
struct tt_address {
	__be32 word[4];
};

#endif
