/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Interfaces of the host: which lists judge what it takes in, sends and forwards there. */
#ifndef TT_ABI_HOST_H
#define TT_ABI_HOST_H

enum tt_host_dims {
	TT_HOST_PROBES = 8, /* slots tried from ifindex & (slots - 1) */
	TT_HOST_SCOPES = 4,
	TT_HOST_PACKETS = 32, /* places of tt_packets for each CPU */
};

/* Which of an endpoint's lists a word is of. */
enum tt_scope {
	TT_SCOPE_WORKLOAD = 0, /* the only list that a workload has in each direction */
	TT_SCOPE_NORMAL = 1,
	TT_SCOPE_FORWARD = 2,
	TT_SCOPE_PRE_DNAT = 3,
	TT_SCOPE_UNTRACKED = 4,
};

enum tt_host_flags {
	TT_HOST_NORMAL = 1, /* 1 << (scope - 1): the interface has that list */
	TT_HOST_FORWARD = 2,
	TT_HOST_PRE_DNAT = 4,
	TT_HOST_UNTRACKED = 8,
	TT_HOST_WORKLOAD = 16,	  /* a workload is behind it; its lists are those of the endpoint for all interfaces */
	TT_HOST_DROP_LOCAL = 32,  /* that workload's packets to the host are dropped */
	TT_HOST_ANY_LOCAL = 64,	  /* of the entry for all others: packets to or from the host are judged somewhere */
	TT_HOST_ANY_FORWARD = 128, /* likewise: forwarded ones */
	TT_HOST_ALL_TRACKED = 256, /* likewise: no interface has a list that is asked for each packet */
};

/* What is in force at an interface. id: by scope - 1, which root.policies is indexed by. */
struct tt_host_lists {
	__u32 flags; /* enum tt_host_flags */
	__u32 id[4];
};

/*
 * One value of tt_host_ifaces. Lists go with the root of the same number, so that both come into force by one store.
 * Behind the last slot is the entry for interfaces that are in none.
 */
struct tt_host_interface {
	__u32 ifindex; /* 0 = free slot. Written last, cleared first. */
	__u8 _pad[4];
	struct tt_host_lists lists[2];
};

/* What a test run is to see: the only variable of the programs. */
struct tt_host_test {
	__u32 in_ifindex;
	__u32 out_ifindex;
	__u32 has_original;
	__be32 original[4]; /* destination before translation, as struct tt_address */
	__be16 original_port;
	__u8 _pad[2];
};

#endif
