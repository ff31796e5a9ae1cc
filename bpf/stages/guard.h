/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Before the stack: the class of a frame's source address, and what it asks for. What passes may be asked more: guard-judge.h. */
#ifndef TT_STAGES_GUARD_H
#define TT_STAGES_GUARD_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>

#include "maps/guard.h"
#include "lib/ip.h"
#include "stages/guard-count.h"

enum tt_guard_limits {
	TT_GUARD_TAGS = 2,		  /* VLAN tags that are looked behind */
	TT_GUARD_MISSING = (int)0xffffffff, /* leads out of every heap: a missing entry stays missing */
};

struct tt_vlan_tag {
	__be16 control;
	__be16 ethertype;
};

static __always_inline __u32 tt_guard_word(const struct tt_words *heap, __u32 offset)
{
	return tt_words_read(heap, offset, TT_GUARD_MISSING);
}

/* address in host order. */
static __always_inline __u32 tt_guard_v4(const struct tt_words *heap, __u32 root, __u32 address)
{
	__u32 entry = tt_guard_word(heap, root + (address >> 16));
	const __u32 *leaf;

	if (!(entry & TT_GUARD_NODE))
		return entry;
	entry = tt_guard_word(heap, (entry & TT_GUARD_OFFSET) + (address >> 8 & 0xff));
	if (!(entry & TT_GUARD_NODE))
		return entry;
	leaf = tt_words_at(heap, (entry & TT_GUARD_OFFSET) + ((address & 0xff) >> 2), 1);
	return leaf ? *leaf >> (address & 3) * 8 & 0xff : TT_GUARD_MISSING;
}

static __always_inline __u32 tt_guard_match(const struct tt_words *heap, __u32 offset, __u64 upper, __u64 lower)
{
	const struct tt_guard_match *node = (const void *)tt_words_at(heap, offset, TT_GUARD_MATCH_WORDS);
	const tt_any64 *mask, *value;

	if (!node)
		return TT_GUARD_MISSING;
	mask = (const void *)node->mask;
	value = (const void *)node->value;
	return ((upper & mask[0]) ^ value[0]) | ((lower & mask[1]) ^ value[1]) ? node->miss : node->hit;
}

static __always_inline __u32 tt_guard_v6_in(const struct tt_words *heap, __u32 entry, __u64 upper, __u64 lower)
{
#pragma clang loop unroll(disable)
	for (int step = 0; step < TT_GUARD_V6_STEPS && (entry & TT_GUARD_NODE); step++) {
		const __u32 offset = entry & TT_GUARD_OFFSET;
		const __u32 byte = entry >> TT_GUARD_BYTE_SHIFT & TT_GUARD_BYTE;

		if (byte)
			entry = tt_guard_word(heap, offset + ((byte & 8 ? lower : upper) >> (byte & 7) * 8 & 0xff));
		else
			entry = tt_guard_match(heap, offset, upper, lower);
	}
	return entry;
}

/*
 * upper, lower: the address's halves as they lie in memory. A global function of plain numbers: the verifier checks
 * those once, and pointer arguments would need kernel 5.12.
 */
__noinline __u32 tt_guard_v6(__u32 root, __u64 upper, __u64 lower)
{
	const __u32 offset = root + bpf_ntohs((__u16)upper);

	if (tt_guard_is_flat) {
		const struct tt_words heap = tt_words_flat(&tt_guard_heap, tt_guard_words);

		return heap.only ? tt_guard_v6_in(&heap, tt_guard_word(&heap, offset), upper, lower) : TT_GUARD_MISSING;
	} else {
		const struct tt_words heap = tt_words_in_blocks(&tt_guard_heap);

		return tt_guard_v6_in(&heap, tt_guard_word(&heap, offset), upper, lower);
	}
}

static __always_inline const struct tt_guard_root *tt_guard_root_here(void)
{
	const __u32 only = 0;
	const struct tt_guard_state *state = bpf_map_lookup_elem(&tt_guard_state, &only);

	return state ? &state->root[*(const volatile __u32 *)&state->active & 1] : NULL;
}

static __always_inline __u32 tt_guard_class_v4(const struct tt_guard_root *root, const void *at, const void *end)
{
	const struct iphdr *ip = at;

	if (at + sizeof(*ip) > end)
		return TT_GUARD_PASS;
	if (tt_guard_is_flat) {
		const struct tt_words heap = tt_words_flat(&tt_guard_heap, tt_guard_words);

		return heap.only ? tt_guard_v4(&heap, root->v4, bpf_ntohl(ip->saddr)) : TT_GUARD_MISSING;
	} else {
		const struct tt_words heap = tt_words_in_blocks(&tt_guard_heap);

		return tt_guard_v4(&heap, root->v4, bpf_ntohl(ip->saddr));
	}
}

static __always_inline __u32 tt_guard_class_v6(const struct tt_guard_root *root, const void *at, const void *end)
{
	const struct ipv6hdr *ip = at;
	struct tt_ip source;

	if (at + sizeof(*ip) > end)
		return TT_GUARD_PASS;
	source = tt_ip_load(&ip->saddr);
	return tt_guard_v6(root->v6, source.half[0], source.half[1]);
}

/* The class of the frame's source. What has no IP source passes: the stack and the later programs know what to do. */
static __always_inline __u32 tt_guard_class(const void *data, const void *end)
{
	const struct tt_guard_root *root = tt_guard_root_here();
	const struct ethhdr *ethernet = data;
	const void *at = data + sizeof(*ethernet);
	__be16 ethertype;

	if (!root || at > end)
		return TT_GUARD_PASS;
	ethertype = ethernet->h_proto;
	for (int tag = 0; tag < TT_GUARD_TAGS; tag++) {
		const struct tt_vlan_tag *vlan = at;

		if (ethertype != bpf_htons(ETH_P_8021Q) && ethertype != bpf_htons(ETH_P_8021AD))
			break;
		if (at + sizeof(*vlan) > end)
			return TT_GUARD_PASS;
		ethertype = vlan->ethertype;
		at += sizeof(*vlan);
	}
	if (ethertype == bpf_htons(ETH_P_IP))
		return tt_guard_class_v4(root, at, end);
	return ethertype == bpf_htons(ETH_P_IPV6) ? tt_guard_class_v6(root, at, end) : TT_GUARD_PASS;
}

/* Judges the source of a frame. Returns the XDP action. */
static __always_inline int tt_guard_judge_source(struct xdp_md *frame)
{
	const void *data = (const void *)(long)frame->data;
	const void *end = (const void *)(long)frame->data_end;
	const __u32 class = tt_guard_class(data, end);

	if (class == TT_GUARD_DROP)
		return tt_guard_drop(TT_GUARD_DROP_SOURCE, end - data);
	if (class & TT_GUARD_NODE)
		return tt_guard_drop(TT_GUARD_DROP_HOLE, end - data);
	return XDP_PASS;
}

#endif
