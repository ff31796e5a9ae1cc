/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Workload endpoints: who is behind an interface, and which interface an address is behind. */
#ifndef TT_ABI_ENDPOINT_H
#define TT_ABI_ENDPOINT_H

enum tt_endpoint_dims {
	TT_ENDPOINT_PROBES = 8, /* slots tried from ifindex & (slots - 1) */
};

enum tt_endpoint_flags {
	TT_ENDPOINT_READY = 1,	      /* policy is in; without it everything is dropped */
	TT_ENDPOINT_MORE_SOURCES = 2, /* further source addresses or prefixes are in tt_sources */
	TT_ENDPOINT_PEER_DELIVERY = 4, /* mac is known: bpf_redirect_peer may deliver */
	TT_ENDPOINT_MAC_CHECK = 8,     /* frames from the workload must come from mac */
};

/* One value of tt_endpoints. The endpoint id, which root.policies is indexed by, is in the value. */
struct tt_endpoint {
	__u32 ifindex; /* host side; 0 = free slot. Written last, cleared first. */
	__u32 flags;   /* enum tt_endpoint_flags, enum tt_capture_bits */
	__u32 id;
	__u32 mtu;	 /* bytes of the IP packet */
	__u8 mac[6];	  /* of the workload's side */
	__u8 host_mac[6]; /* of the host's side */
	__u8 _pad[4];
	struct tt_address v4; /* the workload's first address of each family; zero = none */
	struct tt_address v6;
};

/* Key of tt_sources, an LPM trie: what else an endpoint may send from. prefix_length counts from endpoint_id. */
struct tt_source_key {
	__u32 prefix_length;
	__be32 endpoint_id;
	struct tt_address address;
};

/* Value of tt_addresses, keyed by tt_address: the local endpoint that owns the address. */
struct tt_local {
	__u32 slot; /* index in tt_endpoints */
	__u32 id;
};

#endif
