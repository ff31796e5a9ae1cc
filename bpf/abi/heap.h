/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The policy heap: every compiled table is a region of 32-bit words in one array map, and regions reachable
 * from the active root are never changed. See docs/design/tables.md for the picture.
 */
#ifndef TT_ABI_HEAP_H
#define TT_ABI_HEAP_H

enum tt_heap_dims {
	TT_HEAP_BLOCK_SHIFT = 10,
	TT_HEAP_BLOCK_WORDS = 1024, /* words per map value: 4 KiB */
	TT_V4_ROOT_WORDS = 65536,   /* indexed by the address's upper 16 bits */
	TT_V6_ROOT_WORDS = 65536,   /* likewise */
	TT_CHUNK_WORDS = 256,	    /* IPv4 second and third level, indexed by one address byte */
	TT_PAGE_SHIFT = 6,
	TT_PAGE_WORDS = 64, /* verdict words per cell page */
};

/* One value of tt_heap. */
struct tt_heap_block {
	__u32 word[1024];
};

/* An entry of an address table: a class, or (bit 31 set) the offset or node number of the next level. */
enum tt_entry_bits {
	TT_ENTRY_NODE = 0x80000000,
	TT_ENTRY_VALUE = 0x7fffffff,
};

/*
 * IPv6 address table below the first 16 bits: a path-compressed trie of 8-bit strides. An address whose bits under mask differ from
 * value belongs to class miss; otherwise entry[address byte number byte_index] decides.
 */
struct tt_v6_node {
	__be32 mask[4];
	__be32 value[4];
	__u32 miss;	  /* an entry, never a node */
	__u32 byte_index; /* 0..15 */
	__u32 entry[256];
};

/* Where each (protocol, destination port) or (ICMP type << 8 | code) stands in the layer-4 class table. */
enum tt_l4_base {
	TT_L4_TCP = 0,
	TT_L4_UDP = 65536,
	TT_L4_SCTP = 131072,
	TT_L4_UDPLITE = 196608,
	TT_L4_ICMP = 262144,
	TT_L4_ICMPV6 = 327680,
	TT_L4_OTHER = 393216, /* + protocol number */
	TT_L4_ENTRIES = 393472,
};

/* A policy base: heap offset of the row vector, or (bit 31 set) of the local-class -> row vector table. */
enum tt_base_bits {
	TT_BASE_LOCAL = 0x80000000,
	TT_BASE_OFFSET = 0x7fffffff,
};

/* What the classification of one (policy, address class, layer-4 class) ends in. Zero is a hole: drop. */
enum tt_word_bits {
	TT_WORD_ALLOW = 1,
	TT_WORD_DENY = 2,
	TT_WORD_LOG = 4,
	TT_WORD_SOURCE_PORT = 8, /* id is a heap offset of words, indexed by source-port class */
	TT_WORD_NEXT = 16,	 /* no policy of the list decided: a later list does */
	TT_WORD_ID_SHIFT = 8,	 /* trace id, or heap offset, in the upper 24 bits */
};

/* Entry points of one complete compiled state: heap word offsets. */
struct tt_root {
	__u32 v4_root;	      /* TT_V4_ROOT_WORDS words */
	__u32 v6_root;	      /* TT_V6_ROOT_WORDS entries: class, or number of a tt_v6_node */
	__u32 l4_classes;     /* TT_L4_ENTRIES words */
	__u32 source_classes; /* 65536 words: class of each source port */
	__u32 policies;	      /* two words per endpoint id: egress base, ingress base; see tt_base_bits */
	__u32 generation;     /* counts changes; a flow judged under another generation is judged again */
	__u32 directory;      /* how long the other regions are, for whoever takes this image over */
	__u32 directory_regions; /* words of the directory */
};

/* The one mutable word that a change of policy comes down to is `active`. */
struct tt_state {
	__u32 active; /* which of root[] is in force: 0 or 1 */
	__u32 flags;  /* enum tt_state_flags, TT_CAPTURE_DENIED */
	__u32 hz;     /* jiffies per second of the running kernel */
	__u32 event_budget; /* deny and log events per CPU and second; 0 = unlimited */
	__u32 stamp;  /* counts changes of anything that the flow cache relies on, each after the change is in force */
	__u32 reset_mark; /* of a RST on its way to the next hook: known to nobody, no hook passes 0 */
	__u64 flow_seed; /* keeps outsiders from choosing flows that fall into one bucket; fixed while flows live */
	struct tt_root root[2];
};

enum tt_state_flags {
	TT_STATE_KEEP_ESTABLISHED = 1, /* a policy change leaves established flows alone */
	TT_STATE_HOST_DROP = 2,	       /* workload to own host is dropped after egress policy allowed it */
	TT_STATE_FLOW_LOGS = 4,	       /* somebody counts: no counts of a flow go unsaid */
	TT_STATE_RESET_REVOKED = 8,    /* both ends of a TCP connection that policy has come to deny are sent a RST */
};

#endif
