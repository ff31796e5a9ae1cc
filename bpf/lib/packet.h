/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the stages know about the packet of one run. Lives on the stack, crosses no boundary. No maps, no policy. */
#ifndef TT_LIB_PACKET_H
#define TT_LIB_PACKET_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stddef.h>

#include "abi/common.h"
#include "abi/flow.h"
#include "lib/ip.h"
#if defined(TT_AT_NETFILTER)
#include "lib/datagram.h"
#elif defined(TT_AT_XDP)
#include "lib/wire-frame.h"
#else
#include "lib/frame.h"
#endif

/* IP protocol numbers (IANA). linux/in.h and linux/in6.h have them too, but not without clashes. */
enum tt_protocol {
	TT_PROTO_ICMP = 1,
	TT_PROTO_TCP = 6,
	TT_PROTO_UDP = 17,
	TT_PROTO_ICMPV6 = 58,
	TT_PROTO_SCTP = 132,
	TT_PROTO_UDPLITE = 136,
};

enum tt_tcp_flag {
	TT_TCP_FIN = 1,
	TT_TCP_SYN = 2,
	TT_TCP_RST = 4,
	TT_TCP_ACK = 16,
};

enum tt_icmp_type {
	TT_ICMP_ECHO_REPLY = 0,
	TT_ICMP_ECHO_REQUEST = 8,
	TT_ICMPV6_ECHO_REQUEST = 128,
	TT_ICMPV6_ECHO_REPLY = 129,
};

/* What a stage decided; packet->reason says why, once it is TT_ALLOW or TT_DROP. */
enum tt_verdict {
	TT_CONTINUE = 0,
	TT_ALLOW = 1,
	TT_DROP = 2,
};

enum tt_fragment_part {
	TT_FRAGMENT_NONE = 0,
	TT_FRAGMENT_FIRST = 1, /* holds the ports */
	TT_FRAGMENT_LATER = 2,
};

/* Of a denied packet: what its flow was, if policy allowed that before. */
enum tt_revoked {
	TT_REVOKED_NOT = 0,
	TT_REVOKED_ROUTED = 1,
	TT_REVOKED_LOCAL = 2, /* it began between two workloads of this host: past the stack */
};

enum tt_endpoint_absent {
	TT_NO_ENDPOINT = 0xffffffff, /* in place of an endpoint id */
};

/* Where one run of a program is. Pointers cannot be stored in maps, so each global function finds them anew. */
struct tt_context {
	tt_skb *skb;
	struct tt_bytes bytes;
	struct tt_state *state;
	const struct tt_root *root;
	const struct tt_endpoint *endpoint; /* of the workload's interface that the program runs at */
	bool is_fast; /* the slow path starts over if this one gives up: no rare case is worth its instructions here */
};

/*
 * Plain data. The fast path never takes its address, so there the compiler keeps it in registers: whatever that path
 * calls is inlined, or takes numbers. Past the flow cache it lives in tt_packets.
 */
struct tt_packet {
	__u64 jiffies;
	struct tt_ip source;
	struct tt_ip destination;
	__u64 link; /* source MAC and ethertype as they lie in the frame; on the fast path only */
	struct tt_flow_key key; /* of the flow that is looked for, past the flow cache */
	__u32 ports; /* network order, source port in the lower half; ICMP echo: the identifier in both */
	__u32 ifindex;
	__u32 endpoint_slot; /* of the interface's endpoint in tt_endpoints */
	__u32 generation;    /* of the root in force when the packet came */
	__u32 root_number;
	__u32 stamp; /* of struct tt_state, read before the root */
	__u32 length;	       /* bytes of the IP packet */
	__u32 end;	       /* frame offset where the IP packet ends */
	__u32 layer4;	       /* frame offset of the final header */
	__u32 fragment_header; /* frame offset of the header that makes it a fragment */
	__u32 fragment_offset; /* bytes */
	__u32 peer_id;	   /* endpoint that owns the far address, or TT_NO_ENDPOINT */
	__u32 target;	   /* ifindex that bpf_redirect_peer may deliver to; 0 = the stack */
	__u32 target_slot; /* of target's endpoint in tt_endpoints */
	__u32 captures;	   /* enum tt_capture_bits; at the workloads' hooks */
	__u32 egress_word; /* 0 = not judged */
	__u32 ingress_word;
	__u32 place;	   /* in tt_packets. This one and what follows up to hook: at the host's hooks only */
	__u32 out_ifindex; /* 0 = the packet does not leave */
	__u32 in_slot;     /* of the interface that brought it, in tt_host_ifaces */
	__u32 out_slot;
	__u8 egress_scope; /* enum tt_scope */
	__u8 ingress_scope;
	bool is_from_workload; /* the interface that brought it is a workload's */
	bool is_transit_open;  /* no list has a say in what the host forwards */
	__u8 hook;
	__u8 reason;
	__u8 family; /* 4, 6; 0 = not IP */
	__u8 protocol;
	__u8 kind;     /* enum tt_flow_kind */
	__u8 fragment; /* enum tt_fragment_part */
	__u8 tcp_flags;
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 hop_limit;	   /* IPv6 only */
	bool is_cacheable;  /* carries nothing that the flow's state depends on */
	bool is_peer_ready; /* peer_id's policy is in */
	bool is_from_host;  /* new flow, opened by the host itself */
	bool is_reply;	    /* the words are of a flow that the other end opened */
	__u8 revoked;	    /* enum tt_revoked; at the workloads' hooks */
};

/* The compiler keeps the order of what is before and after; the CPUs that matter keep it for stores by themselves. */
#define barrier() asm volatile("" ::: "memory")

static __always_inline enum tt_verdict tt_allow(struct tt_packet *packet, __u8 reason)
{
	packet->reason = reason;
	return TT_ALLOW;
}

static __always_inline enum tt_verdict tt_drop(struct tt_packet *packet, __u8 reason)
{
	packet->reason = reason;
	return TT_DROP;
}

static __always_inline __be16 tt_source_port(const struct tt_packet *packet)
{
	return (__be16)packet->ports;
}

static __always_inline __be16 tt_destination_port(const struct tt_packet *packet)
{
	return (__be16)(packet->ports >> 16);
}

/* The size bytes at a frame offset, for reading only, maybe copied to buffer. NULL if the packet ends before. */
static __always_inline const void *tt_read(const struct tt_context *context, __u32 offset, const __u32 size,
					   void *buffer)
{
	return tt_peek(context->skb, &context->bytes, context->is_fast, offset, size, buffer);
}

#endif
