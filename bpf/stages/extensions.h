/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* IPv6 extension headers, walked up to the final protocol (RFC 8200, 4). No maps. */
#ifndef TT_STAGES_EXTENSIONS_H
#define TT_STAGES_EXTENSIONS_H

#include <bpf/bpf_endian.h>

#include "abi/event.h"
#include "lib/packet.h"

enum tt_extension {
	TT_EXTENSION_HOP_BY_HOP = 0,
	TT_EXTENSION_ROUTING = 43,
	TT_EXTENSION_FRAGMENT = 44,
	TT_EXTENSION_DESTINATION = 60,
	TT_EXTENSION_LIMIT = 8,
	TT_HEADERS_LIMIT = 2048, /* bytes of frame that the headers before the final one may take */
};

/* Where a walk ended, packed into the one number that a global function can return. */
enum tt_walk_bits {
	TT_WALK_LAYER4_SHIFT = 8,   /* below: the protocol */
	TT_WALK_FRAGMENT_SHIFT = 24, /* frame offset of the fragment header; 0 = none */
	TT_WALK_OFFSET_SHIFT = 40,  /* the fragment's own offset and flags, host order */
	TT_WALK_REASON_SHIFT = 56,  /* nonzero: the walk failed */
};

/* Any extension header: the fragment header has its own meaning for all but the first byte. */
struct tt_extension_header {
	__u8 next;
	__u8 length; /* in 8 bytes, the first 8 not counted */
	__be16 fragment;
	__be32 identification;
};

static __always_inline bool tt_is_extension(__u8 protocol)
{
	return protocol == TT_EXTENSION_HOP_BY_HOP || protocol == TT_EXTENSION_ROUTING ||
	       protocol == TT_EXTENSION_FRAGMENT || protocol == TT_EXTENSION_DESTINATION;
}

static __always_inline __u64 tt_walk_failed(__u64 reason)
{
	return reason << TT_WALK_REASON_SHIFT;
}

/*
 * From the header at frame offset layer4 to the final protocol; see enum tt_walk_bits. What follows the fragment
 * header of a later fragment is payload, so the walk ends there. A global function: the verifier checks it once.
 */
__noinline __u64 tt_extensions_walk(tt_skb *skb, __u32 protocol, __u32 layer4, __u32 end)
{
	struct tt_extension_header header;
	__u64 fragment = 0;

#pragma clang loop unroll(disable)
	for (int i = 0; i < TT_EXTENSION_LIMIT && tt_is_extension(protocol); i++) {
		if (layer4 + sizeof(header) > end || tt_load(skb, layer4, &header, sizeof(header)))
			return tt_walk_failed(TT_REASON_DROP_TRUNCATED);
		if (protocol == TT_EXTENSION_FRAGMENT) {
			fragment = (__u64)layer4 << TT_WALK_FRAGMENT_SHIFT |
				   (__u64)bpf_ntohs(header.fragment) << TT_WALK_OFFSET_SHIFT;
			layer4 += sizeof(header);
		} else {
			layer4 += ((__u32)header.length + 1) * 8;
		}
		protocol = header.next;
		if (layer4 > TT_HEADERS_LIMIT)
			return tt_walk_failed(TT_REASON_DROP_EXTENSION_HEADERS);
		if (fragment >> TT_WALK_OFFSET_SHIFT & 0xfff8)
			return fragment | layer4 << TT_WALK_LAYER4_SHIFT | protocol;
	}
	if (tt_is_extension(protocol))
		return tt_walk_failed(TT_REASON_DROP_EXTENSION_HEADERS);
	return fragment | layer4 << TT_WALK_LAYER4_SHIFT | protocol;
}

/* Moves the packet to its final protocol. An atomic fragment, offset 0 and nothing to follow, is whole (RFC 6946). */
static __always_inline enum tt_verdict tt_extensions(const struct tt_context *context, struct tt_packet *packet)
{
	__u64 walk;
	__u32 bits;

	if (context->is_fast)
		return TT_DROP;
	walk = tt_extensions_walk(context->skb, packet->protocol, packet->layer4, packet->end);
	bits = walk >> TT_WALK_OFFSET_SHIFT & 0xffff;
	if (walk >> TT_WALK_REASON_SHIFT)
		return tt_drop(packet, walk >> TT_WALK_REASON_SHIFT);
	packet->protocol = walk;
	packet->layer4 = walk >> TT_WALK_LAYER4_SHIFT & 0xffff;
	packet->fragment_header = walk >> TT_WALK_FRAGMENT_SHIFT & 0xffff;
	packet->fragment_offset = bits & 0xfff8;
	if (packet->fragment_offset)
		packet->fragment = TT_FRAGMENT_LATER;
	else if (bits & 1)
		packet->fragment = TT_FRAGMENT_FIRST;
	return TT_CONTINUE;
}

#endif
