/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Connections: the flow table (authority, both directions under one key) and the per-CPU flow cache in front of it. */
#ifndef TT_ABI_FLOW_H
#define TT_ABI_FLOW_H

/*
 * What names a flow. Both directions share it: end 0 is the end whose (address, port) is the lower one, compared as
 * big-endian bytes. Not so for ICMP, whose two directions are not alike: there end 0 is who asked. For ICMP echo
 * both ports are the identifier; for other ICMP, which nobody answers, they are (type, code).
 */
struct tt_flow_key {
	struct tt_address address[2];
	__be16 port[2];
	__u8 protocol;
	__u8 kind; /* enum tt_flow_kind */
	__u8 _pad[2];
};

enum tt_flow_kind {
	TT_FLOW_PORTS = 0,	/* TCP, UDP, UDPLite, SCTP */
	TT_FLOW_ECHO = 1,	/* ICMP or ICMPv6 echo */
	TT_FLOW_ICMP_OTHER = 2, /* one way: no reply is expected */
	TT_FLOW_PROTOCOL = 3,	/* any other protocol: addresses only */
};

enum tt_flow_state {
	TT_FLOW_NEW = 0,	 /* initiator spoke */
	TT_FLOW_REPLIED = 1,	 /* responder spoke; for TCP: SYN-ACK seen */
	TT_FLOW_ESTABLISHED = 2, /* TCP: handshake done; others: initiator spoke after a reply */
	TT_FLOW_CLOSING = 3,	 /* TCP: one FIN */
	TT_FLOW_CLOSED = 4,	 /* TCP: both FIN, or RST */
};

enum tt_flow_flags {
	TT_FLOW_FROM_HIGH = 1,	  /* the initiator is end 1 of the key */
	TT_FLOW_FROM_HOST = 2,	  /* opened by the host itself: no ingress policy */
	TT_FLOW_FIN_INITIATOR = 4,
	TT_FLOW_FIN_RESPONDER = 8,
	TT_FLOW_LOCAL = 32, /* the sender's hook judged both ends: packets may go from peer to peer */
	TT_FLOW_REVOKED = 16, /* changed policy denies it: nothing passes, in neither direction */
	TT_FLOW_UNMET = 64,   /* entered at a hook of the host; for hooks of workloads there is no flow yet */
};

enum tt_host_reason_bits {
	TT_HOST_DENIES_REPLY = 128, /* they deny it as a connection that the responder opens: see tt_host_judge */
};

struct tt_flow {
	__u32 generation;   /* policy generation it was last judged under */
	__u8 state;	    /* enum tt_flow_state */
	__u8 flags;	    /* enum tt_flow_flags */
	__u8 host_reason;   /* enum tt_reason: why the host's lists deny it; with TT_HOST_DENIES_REPLY */
	__u8 tcp_flags;	    /* of the packets that opened it, moved its state on or closed it, or-ed */
	__u32 egress_word;  /* 0 = that side was not judged here */
	__u32 ingress_word;
	__u64 created_jiffies;
	__u64 seen_jiffies;
	__u64 packets[2];   /* by direction: 0 from the initiator, 1 from the responder */
	__u64 bytes[2];	    /* of IP packets */
	/* Of the host's lists, which judge apart from the workloads' policy. Both are read and written as one word. */
	__u32 host_generation; /* under which they were asked; 0 = never */
	__u32 host_word;       /* what they said last: nothing passes if it denies. 0 = no list was responsible */
	__u64 told; /* written by user space: fingerprint (lib/told.h) of the flow as it was told of for the last time */
};

enum tt_flow_dims {
	TT_FLOW_WAYS = 16,	     /* flows that a bucket of the index can name */
	TT_FLOW_REGION_BUCKETS = 1024,
	TT_FLOW_REGION_ENTRIES = 8192, /* half of what its buckets can name: few of them fill up */
	TT_FLOW_REGION_HEAD = 64,    /* bytes before the buckets */
	TT_FLOW_AGE_SHIFT = 8, /* deadlines count 2^8 jiffies, so that 32 bits do not wrap in a machine's life */
};

/* Part of the index: one cache line, which mostly suffices to tell that a flow is not there. */
struct tt_flow_bucket {
	__u16 tag[16];	/* some bits of the key's hash; 0 = free. Written last, cleared first. */
	__u16 entry[16]; /* where in the region */
};

/* A flow in the table: two cache lines. */
struct tt_flow_entry {
	struct tt_flow_key key;
	__u32 named_by; /* 1 + TT_FLOW_WAYS * bucket + way; 0 = free */
	__u32 deadline; /* when the flow ends unless a packet comes; see tt_flow_dims */
	struct tt_flow flow;
};

/* Key of tt_fragments: which datagram a fragment belongs to (RFC 791, 3.2; RFC 8200, 4.5). */
struct tt_fragment_key {
	struct tt_address source;
	struct tt_address destination;
	__be32 identification;
	__u8 protocol; /* 0 for IPv6, where the identification alone tells datagrams apart */
	__u8 _pad[3];
};

struct tt_fragment {
	__u64 seen_jiffies;
	__be16 source_port;
	__be16 destination_port;
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 protocol; /* behind IPv6 extension headers that only the first fragment has */
	__u8 _pad[1];
};

/* One slot of the flow cache: a packet tuple as seen at one interface, and what to do with it. */
struct tt_cached_flow {
	struct tt_address source;
	struct tt_address destination;
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 kind;
	__u8 hook;   /* enum tt_hook; above it, tt_switch.number of the programs that filled the slot */
	__u8 reply;  /* 1 = this direction is the responder's */
	__u32 ifindex;
	__u32 stamp;  /* of struct tt_state when the slot was filled */
	__u32 target; /* ifindex to deliver to by bpf_redirect_peer; 0 = the stack */
	__u32 target_slot;
	__u64 link;	      /* source MAC and ethertype: the frame's bytes 6 to 13 */
	__u64 synced_jiffies; /* when the flow table last heard of it */
	__u64 packets;	      /* since then */
	__u64 bytes;
	__u32 egress_word; /* the flow's when the slot was filled: what is told of counts whose flow is gone */
	__u32 ingress_word;
};

/*
 * What user space has told of the flow in a place of the table. Value of tt_flow_told, which only user space reads and
 * writes: it outlives the agent, so that no agent tells again what another has told.
 */
struct tt_flow_told {
	__u64 created_jiffies; /* with key_hash, which flow it is; 0 = none */
	__u64 key_hash;
	__u64 packets[2];
	__u64 bytes[2];
	__u32 egress_word; /* the last ones that allowed it */
	__u32 ingress_word; /* of a flow that only hooks of the host have met: the host's */
	__u32 since; /* low half of the jiffies when it was told of last */
	__u8 state;
	__u8 flags; /* enum tt_flow_told_flags */
	__u8 _pad[2];
};

enum tt_flow_told_flags {
	TT_TOLD_START = 1,  /* that it has begun, or it was there before anybody counted */
	TT_TOLD_END = 2,    /* that it has ended */
	TT_TOLD_DENIED = 4, /* that policy has ended it */
	TT_TOLD_ALL = 8,    /* all that there was, and the programs know: they tell of it no more, unless there is more */
};

/* What is new of one flow, as native code hands it to TypeScript. */
struct tt_flow_report {
	struct tt_flow_key key;
	__u32 egress_word;
	__u32 ingress_word;
	__u32 host_word;
	__u8 phase; /* enum tt_flow_phase */
	__u8 state;
	__u8 flags; /* enum tt_flow_flags */
	__u8 tcp_flags;
	__u64 created_jiffies;
	__u64 since_jiffies; /* when it was told of before */
	__u64 until_jiffies;
	__u64 packets[2];
	__u64 bytes[2];
};

enum tt_flow_phase {
	TT_PHASE_START = 1,
	TT_PHASE_END = 2,
	TT_PHASE_COUNTS = 4, /* late: of a flow that has been said to have ended */
};

#endif
