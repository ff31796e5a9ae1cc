/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the programs report: ring-buffer records, reasons, counters. */
#ifndef TT_ABI_EVENT_H
#define TT_ABI_EVENT_H

#include "common.h"
#include "flow.h"

/* Directions are named from the workload's point of view, and from the host's. */
enum tt_hook {
	TT_HOOK_FROM_WORKLOAD = 0,
	TT_HOOK_TO_WORKLOAD = 1,
	TT_HOOK_TO_HOST = 2,   /* where the kernel has decided that the host takes the packet */
	TT_HOOK_FORWARD = 3,   /* that it forwards it */
	TT_HOOK_FROM_HOST = 4, /* that it sends it */
	TT_HOOK_FROM_WIRE = 5, /* before it has made a packet of the frame */
};

enum tt_event_kind {
	TT_EVENT_NEW_FLOW = 1,
	TT_EVENT_DENIED = 2,	   /* a new flow that policy denies */
	TT_EVENT_FLOW_REVOKED = 3, /* an established flow that changed policy now denies */
	TT_EVENT_LOG = 4,	   /* a Log rule matched, in a list that did not deny */
	TT_EVENT_DROPPED = 5,	   /* not policy: see reason */
	TT_EVENT_FLOW_ENDED = 6,   /* struct tt_flow_event: the flow's place in the table is taken from it */
	TT_EVENT_FLOW_COUNTS = 7,  /* struct tt_flow_event: counts that waited in a flow cache for longer than their flow was there */
};

/*
 * Why a packet went where it went; one counter each. Names and help texts are generated from here. New ones come last and
 * none ever means something else: programs of two layouts count in one map.
 */
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
	TT_REASON_ALLOWED_UNTRACKED = 24,    /* an untracked policy of the host allows: no flow is looked for */
	TT_REASON_ALLOWED_UNPOLICED = 25,    /* new flow that no list of the host's has judged */
	TT_REASON_DROP_UNTRACKED = 26,	     /* an untracked policy of the host denies */
	TT_REASON_DROP_PRE_DNAT = 27,	     /* a policy of the host for destinations before translation denies */
	TT_REASON_DROP_HOST_INGRESS = 28,    /* the policy of the interface that the packet came in by denies */
	TT_REASON_DROP_HOST_EGRESS = 29,     /* the policy of the interface that the packet would leave by denies */
	TT_REASON_DROP_NO_ROOM = 30,	     /* more packets in hand on one CPU than there is room for */
	TT_REASON_FLOW_COUNTS_LOST = 31,     /* ring buffer full: nobody is told of the last counts of a flow. All of its packets */
	TT_REASON_RESET_SENT = 32,	     /* RST to an end of an established connection that changed policy denies. Bytes: those of the RST */
	TT_REASON_RESET_LOST = 33,	     /* RST that could not be sent. Bytes: its own, or the packet's that could not be cut to it */
	TT_REASON_COUNT = 34,
};

enum tt_counter_dims {
	TT_COUNTER_ROOM = 64, /* entries of tt_counters: as many reasons as there may ever be */
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
	__u32 out_ifindex; /* at the host's hooks: where the packet would leave; 0 = not at all */
	__u8 egress_scope; /* enum tt_scope: which list egress_word is of */
	__u8 ingress_scope;
	__u8 is_reply; /* 1 = the words are of a flow that the destination opened */
	__u8 _pad[1];
};

/* What flow logs must not miss: a flow's last counts. Sent only while they are kept, see TT_STATE_FLOW_LOGS. */
struct tt_flow_event {
	__u64 jiffies;
	__u8 kind; /* enum tt_event_kind, where struct tt_event has it */
	__u8 _pad[3];
	__u32 place; /* in the flow table: region * TT_FLOW_REGION_ENTRIES + entry */
	struct tt_flow_key key;
	struct tt_flow flow; /* TT_EVENT_FLOW_COUNTS: words, flags, and counts of one direction; the rest is 0 */
};

#endif
