/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Packets as they were, each with its verdict, while somebody asks for them. */
#ifndef TT_ABI_CAPTURE_H
#define TT_ABI_CAPTURE_H

#include "event.h"

enum tt_capture_dims {
	/* Room for a packet's bytes in a record: a ring buffer has records of two sizes, each known to the verifier. */
	TT_CAPTURE_SHORT_BYTES = 128,
	TT_CAPTURE_LONG_BYTES = 1504,
};

/*
 * Whose packets are wanted: in tt_endpoint.flags those of one endpoint, in tt_state.flags all that are denied. Of a packet in
 * hand the same bits, two further up, stand for the endpoint at the other end.
 */
enum tt_capture_bits {
	TT_CAPTURE_ALLOWED = 256,
	TT_CAPTURE_DENIED = 512,
	TT_CAPTURE_BOTH = 768,
	TT_CAPTURE_PEER_SHIFT = 2,
	TT_CAPTURE_ALLOWED_ANYWHERE = 1280, /* at this end or the other */
	TT_CAPTURE_DENIED_ANYWHERE = 2560,
};

/* What a record's bytes begin with; numbers of pcap's link types. */
enum tt_capture_link {
	TT_CAPTURE_ETHERNET = 1,
	TT_CAPTURE_IP = 101, /* netfilter's hooks see no frame */
};

/* The one value of tt_capture_set. All zero: nothing is captured, whatever the flags say. */
struct tt_capture_settings {
	__u32 bytes;  /* most of each packet, up to TT_CAPTURE_LONG_BYTES; 0 = nothing is captured */
	__u32 budget; /* packets per CPU and second */
};

/* The one value of tt_capture_cpus (per CPU). */
struct tt_capture_counts {
	__u64 since_jiffies; /* the running second */
	__u64 spent;	     /* of its budget */
	__u64 captured;
	__u64 suppressed; /* packets over the budget */
	__u64 lost;	  /* packets that the ring buffer had no room for */
};

/* One record of tt_captures: followed by the packet's first bytes, and what is left of the room for them. */
struct tt_packet_event {
	struct tt_event event; /* hook and ifindex: where the packet was taken; kind: 0 for a packet of a known flow */
	__u64 monotonic_ns;
	__u32 length;	/* bytes that there were, from the first that link says */
	__u32 captured; /* bytes that follow */
	__u32 link;	/* enum tt_capture_link */
	__u32 is_denied;
};

#endif
