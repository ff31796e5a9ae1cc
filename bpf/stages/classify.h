/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Policy, as a fixed number of array reads: docs/design/tables.md. Remembers nothing, decides nothing. */
#ifndef TT_STAGES_CLASSIFY_H
#define TT_STAGES_CLASSIFY_H

#include <bpf/bpf_endian.h>

#include "maps/heap.h"
#include "abi/flow.h"
#include "lib/packet.h"

enum tt_classify_dims {
	TT_V6_STEPS = 16, /* one per address byte is the most a trie can hold */
	/* Not in the heap. Has TT_ENTRY_NODE set and leads out of every heap: a missing entry stays missing. */
	TT_ENTRY_MISSING = 0xffffffff,
};

/* Word of a table in which zero means unwritten. */
static __always_inline __u32 tt_heap_word(const struct tt_words *heap, __u32 offset)
{
	return tt_words_read(heap, offset, 0);
}

/* Entry of a table in which zero is a class like any other. */
static __always_inline __u32 tt_heap_entry(const struct tt_words *heap, __u32 offset)
{
	return tt_words_read(heap, offset, TT_ENTRY_MISSING);
}

static __always_inline __u32 tt_v4_class(const struct tt_words *heap, __u32 table, __u32 address)
{
	__u32 entry = tt_heap_entry(heap, table + (address >> 16));

	if (entry & TT_ENTRY_NODE)
		entry = tt_heap_entry(heap, (entry & TT_ENTRY_VALUE) + (address >> 8 & 0xff));
	if (entry & TT_ENTRY_NODE)
		entry = tt_heap_entry(heap, (entry & TT_ENTRY_VALUE) + (address & 0xff));
	return entry;
}

/*
 * upper, lower: the address's halves as in struct tt_ip. A global function of plain numbers: the verifier checks those
 * once, not once for each way that leads to them. Pointer arguments would need kernel 5.12, and variable offsets into
 * the stack, in place of the shift, 5.12 too.
 */
__noinline __u32 tt_v6_class(__u32 entry, __u64 upper, __u64 lower)
{
#pragma clang loop unroll(disable)
	for (int step = 0; step < TT_V6_STEPS && (entry & TT_ENTRY_NODE); step++) {
		const __u32 number = entry & TT_ENTRY_VALUE;
		const struct tt_v6_node *node = bpf_map_lookup_elem(&tt_v6_nodes, &number);
		const tt_any64 *mask, *value;
		__u64 half;

		if (!node)
			return TT_ENTRY_MISSING;
		mask = (const void *)node->mask;
		value = (const void *)node->value;
		if (((upper & mask[0]) ^ value[0]) | ((lower & mask[1]) ^ value[1]))
			return node->miss;
		half = node->byte_index & 8 ? lower : upper;
		entry = node->entry[half >> ((node->byte_index & 7) * 8) & 0xff];
	}
	return entry;
}

/* The address's first two bytes, which are the lowest of its upper half as it lies in memory. */
static __always_inline __u32 tt_v6_root_index(const struct tt_ip *ip)
{
	return bpf_ntohs((__u16)ip->half[0]);
}

static __always_inline __u32 tt_address_class(const struct tt_words *heap, const struct tt_root *root,
					      const struct tt_ip *ip)
{
	if (tt_ip_is_mapped(ip))
		return tt_v4_class(heap, root->v4_root, tt_ip_v4(ip));
	return tt_v6_class(tt_heap_entry(heap, root->v6_root + tt_v6_root_index(ip)), ip->half[0], ip->half[1]);
}

/* ICMP echo is always judged as the request, also when it is a reply that has an old flow judged again. */
static __always_inline __u32 tt_icmp_index(const struct tt_packet *packet, bool is_reply)
{
	if (!is_reply || packet->kind != TT_FLOW_ECHO)
		return (__u32)packet->icmp_type << 8 | packet->icmp_code;
	return (packet->protocol == TT_PROTO_ICMP ? TT_ICMP_ECHO_REQUEST : TT_ICMPV6_ECHO_REQUEST) << 8;
}

static __always_inline __u32 tt_layer4_index(const struct tt_packet *packet, bool is_reply)
{
	const __u32 port = bpf_ntohs(is_reply ? tt_source_port(packet) : tt_destination_port(packet));

	switch (packet->protocol) {
	case TT_PROTO_TCP:
		return TT_L4_TCP + port;
	case TT_PROTO_UDP:
		return TT_L4_UDP + port;
	case TT_PROTO_SCTP:
		return TT_L4_SCTP + port;
	case TT_PROTO_UDPLITE:
		return TT_L4_UDPLITE + port;
	case TT_PROTO_ICMP:
		return TT_L4_ICMP + tt_icmp_index(packet, is_reply);
	case TT_PROTO_ICMPV6:
		return TT_L4_ICMPV6 + tt_icmp_index(packet, is_reply);
	default:
		return TT_L4_OTHER + packet->protocol;
	}
}

/* Class of the source port decides, in the few cells whose rules name source ports. */
static __always_inline __u32 tt_source_port_word(const struct tt_words *heap, const struct tt_root *root, __u32 word,
						 __u16 port)
{
	const __u32 class = tt_heap_entry(heap, root->source_classes + port);

	return class & TT_ENTRY_NODE ? 0 : tt_heap_word(heap, (word >> TT_WORD_ID_SHIFT) + class);
}

/* Heap offset of the row vector of a policy seen from a local address, or 0. */
static __always_inline __u32 tt_policy_rows(const struct tt_words *heap, const struct tt_root *root, __u32 policy,
					    const struct tt_ip *local)
{
	const __u32 rows = tt_heap_word(heap, root->policies + policy);
	__u32 class;

	if (!(rows & TT_BASE_LOCAL))
		return rows;
	class = tt_address_class(heap, root, local);
	return class & TT_ENTRY_NODE ? 0 : tt_heap_word(heap, (rows & TT_BASE_OFFSET) + class);
}

/* The verdict word of a row vector for a peer; 0 = a hole in the tables. source_port in host order. */
static __always_inline __u32 tt_verdict_word(const struct tt_words *heap, const struct tt_root *root, __u32 rows,
					     const struct tt_ip *peer,
					     __u32 layer4_index, __u16 source_port)
{
	__u32 peer_class, layer4_class, row, page, word;

	if (!rows)
		return 0;
	peer_class = tt_address_class(heap, root, peer);
	layer4_class = tt_heap_entry(heap, root->l4_classes + layer4_index);
	if ((peer_class | layer4_class) & TT_ENTRY_NODE)
		return 0;
	row = tt_heap_word(heap, rows + peer_class);
	if (!row)
		return 0;
	page = tt_heap_word(heap, row + (layer4_class >> TT_PAGE_SHIFT));
	if (!page)
		return 0;
	word = tt_heap_word(heap, page + (layer4_class & (TT_PAGE_WORDS - 1)));
	return word & TT_WORD_SOURCE_PORT ? tt_source_port_word(heap, root, word, source_port) : word;
}

static __always_inline __u32 tt_classify_in(const struct tt_words *heap, const struct tt_root *root,
					    const struct tt_packet *packet, __u32 id, bool is_ingress, bool is_reply)
{
	const bool is_peer_source = is_ingress != is_reply;
	const struct tt_ip peer = is_peer_source ? packet->source : packet->destination;
	const struct tt_ip local = is_peer_source ? packet->destination : packet->source;
	const __u16 source_port = bpf_ntohs(is_reply ? tt_destination_port(packet) : tt_source_port(packet));
	const __u32 rows = tt_policy_rows(heap, root, 2 * id + is_ingress, &local);

	return tt_verdict_word(heap, root, rows, &peer, tt_layer4_index(packet, is_reply), source_port);
}

/*
 * The verdict word of one endpoint's policy in one direction; 0 = a hole. is_reply: the packet runs from the responder
 * to the initiator, and the connection is judged, not the packet.
 */
static __always_inline __u32 tt_classify(const struct tt_root *root, const struct tt_packet *packet, __u32 id,
					 bool is_ingress, bool is_reply)
{
	if (tt_is_flat) {
		const struct tt_words heap = tt_words_flat(&tt_heap, tt_heap_words);

		return heap.only ? tt_classify_in(&heap, root, packet, id, is_ingress, is_reply) : 0;
	} else {
		const struct tt_words heap = tt_words_in_blocks(&tt_heap);

		return tt_classify_in(&heap, root, packet, id, is_ingress, is_reply);
	}
}

#endif
