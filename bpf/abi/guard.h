/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The guard's table of source addresses: prefixes of both families, any number of them, in one array of 32-bit words. */
#ifndef TT_ABI_GUARD_H
#define TT_ABI_GUARD_H

/* Sizes of its nodes, in words. No node crosses the edge of a block of tt_guard_heap. */
enum tt_guard_dims {
	TT_GUARD_ROOT_WORDS = 65536, /* entries by the address's first two bytes, one root for each family */
	TT_GUARD_CHUNK_WORDS = 256,  /* entries by one further byte */
	TT_GUARD_LEAF_WORDS = 64,    /* IPv4 only: classes by the last byte, one byte each */
	TT_GUARD_MATCH_WORDS = 10,   /* struct tt_guard_match */
	TT_GUARD_CHAIN = 2,	     /* IPv6 prefixes that are tried one after the other instead of by a chunk */
	TT_GUARD_V6_STEPS = 16,	     /* nodes on the longest way: each of 14 bytes is passed once, then a chain */
};

/* An entry: a class, or (bit 31 set) the offset of the next node; IPv6: with the byte that indexes it, 0 = a match. */
enum tt_guard_entry {
	TT_GUARD_NODE = 0x80000000,
	TT_GUARD_BYTE_SHIFT = 27,
	TT_GUARD_BYTE = 15,
	TT_GUARD_OFFSET = 0x07ffffff,
};

/* An address whose bits under mask are value goes on at entry hit, any other at entry miss. */
struct tt_guard_match {
	__be32 mask[4];
	__be32 value[4];
	__u32 hit;
	__u32 miss;
};

/* What a class of sources asks for. */
enum tt_guard_class {
	TT_GUARD_PASS = 0,
	TT_GUARD_DROP = 1,
};

/* What the guard did to packets that did not reach the stack; one counter each. New ones come last. */
enum tt_guard_reason {
	TT_GUARD_DROP_SOURCE = 0,     /* dropped: the source address is in a blocked prefix */
	TT_GUARD_DROP_HOLE = 1,	      /* dropped: the table leads nowhere, a bug */
	TT_GUARD_DROP_SYN_SOURCE = 2, /* dropped: its source opens more TCP connections a second than one may */
	TT_GUARD_SYN_COOKIE = 3,      /* answered with a SYN cookie, in place of the stack */
	TT_GUARD_REASONS = 4,
};

/* What is done to frames besides, in all and on one interface. */
enum tt_guard_flags {
	TT_GUARD_LISTS = 1, /* untracked lists of the host's policy are asked */
	TT_GUARD_SYN = 2,   /* new TCP connections are counted */
};

enum tt_guard_room {
	TT_GUARD_REASON_ROOM = 16, /* entries of tt_guard_drops: as many reasons as there may ever be */
	TT_GUARD_SOURCES = 65536,  /* counters that sources share by a hash */
	TT_GUARD_PORT_WORDS = 1024, /* of 64 bits, one for each port */
};

/* An interface on which more is done than looking at sources: frames that the stack will take for its own. */
struct tt_guard_interface {
	__u32 flags; /* enum tt_guard_flags */
	__u32 mtu;
	__u8 mac[6];
	__u8 _pad[2];
};

/* Offsets of one complete table's roots; both zero = no table yet, every source passes. */
struct tt_guard_root {
	__u32 v4;
	__u32 v6;
};

/* A new table comes into force by one store to `active`. */
struct tt_guard_state {
	__u32 active; /* which of root[]: 0 or 1 */
	struct tt_guard_root root[2];
	__u32 flags;	    /* enum tt_guard_flags: of all interfaces together */
	__u32 syn_source;   /* SYNs a second from one source; more are dropped. 0 = any number */
	__u32 syn_listener; /* SYNs a second that the stack gets for one listening socket; more are answered with cookies */
	__u32 seed[2];	    /* of the hash of sources: drawn anew by each agent */
	__u8 _pad[4];
};

#endif
