/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the programs report: ring-buffer records, reasons, counters. */
#ifndef TT_ABI_EVENT_H
#define TT_ABI_EVENT_H

/* Directions are named from the workload's point of view. */
enum tt_hook {
	TT_HOOK_FROM_WORKLOAD = 0,
	TT_HOOK_TO_WORKLOAD = 1,
};

enum tt_event_kind {
	TT_EVENT_NEW_FLOW = 1,
	TT_EVENT_DENIED = 2,	   /* a new flow that policy denies */
	TT_EVENT_FLOW_REVOKED = 3, /* an established flow that changed policy now denies */
	TT_EVENT_LOG = 4,	   /* allowed, and a Log rule matched */
	TT_EVENT_DROPPED = 5,	   /* not policy: see reason */
};

/* Why a packet went where it went; one counter each. Names and help texts are generated from here. */
enum tt_reason {
	TT_REASON_ALLOWED_CACHED = 0,	     /* established flow, found in the per-CPU cache */
	TT_REASON_ALLOWED_FLOW = 1,	     /* established flow, found in the flow table */
	TT_REASON_ALLOWED_NEW = 2,	     /* new flow that policy allows */
	TT_REASON_ALLOWED_HOST = 3,	     /* new flow opened by the host itself */
	TT_REASON_ALLOWED_RELATED = 4,	     /* ICMP error that cites an allowed flow */
	TT_REASON_ALLOWED_NEIGHBOUR = 5,     /* ARP, or link-scope neighbour and multicast-listener discovery */
	TT_REASON_DROP_EGRESS_POLICY = 6,    /* the sender's policy denies */
	TT_REASON_DROP_INGRESS_POLICY = 7,   /* the receiver's policy denies */
	TT_REASON_DROP_REVOKED = 8,	     /* established flow that changed policy denies */
	TT_REASON_DROP_NOT_READY = 9,	     /* the interface's endpoint has no policy yet */
	TT_REASON_DROP_SPOOFED_ADDRESS = 10, /* source address is not the workload's */
	TT_REASON_DROP_SPOOFED_MAC = 11,     /* source MAC is not the workload's */
	TT_REASON_DROP_ETHERTYPE = 12,	     /* neither IPv4, IPv6 nor ARP */
	TT_REASON_DROP_TRUNCATED = 13,	     /* packet ends inside a header */
	TT_REASON_DROP_MALFORMED = 14,	     /* header fields contradict each other */
	TT_REASON_DROP_EXTENSION_HEADERS = 15, /* more IPv6 extension headers than are followed */
	TT_REASON_DROP_FRAGMENT_ORPHAN = 16, /* fragment whose first fragment was not seen */
	TT_REASON_DROP_FRAGMENT_TINY = 17,   /* first fragment without the ports */
	TT_REASON_DROP_TABLE_HOLE = 18,	     /* classification met an unwritten table entry */
	TT_REASON_DROP_FLOW_TABLE = 19,	     /* there is no flow table */
	TT_REASON_DROP_HOST = 20,	     /* workload to own host is switched off */
	TT_REASON_EVENT_LOST = 21,	     /* ring buffer full: the event is lost, the packet is not */
	TT_REASON_EVENT_SUPPRESSED = 22,     /* event left out by the rate limit */
	TT_REASON_FLOW_EVICTED = 23,	     /* flow table full: a live flow made room for a new one, and will be judged anew */
	TT_REASON_COUNT = 24,
};

/* One value of tt_counters (per CPU), indexed by reason. */
struct tt_counter {
	__u64 packets;
	__u64 bytes;
};

/* What the program tt_clock last read: both clocks at one moment. */
struct tt_clock_reading {
	__u64 jiffies;
	__u64 monotonic_ns;
};

struct tt_event {
	__u64 jiffies;
	__u8 kind;   /* enum tt_event_kind */
	__u8 reason; /* enum tt_reason */
	__u8 hook;   /* enum tt_hook */
	__u8 protocol;
	__u32 ifindex;
	struct tt_address source;
	struct tt_address destination;
	__be16 source_port;
	__be16 destination_port;
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 tcp_flags;
	__u8 family; /* 4 or 6; 0 = not IP */
	__u32 egress_word;
	__u32 ingress_word;
	__u32 generation; /* of the root whose words these are */
	__u32 length;	  /* bytes of the IP packet */
};

#endif
