/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The packet's bytes at tc, where programs may point into its linear part. lib/datagram.h is the same for netfilter. */
#ifndef TT_LIB_FRAME_H
#define TT_LIB_FRAME_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/ip.h"

/* What the kernel hands to a program. */
typedef struct __sk_buff tt_skb;

enum tt_frame_place {
	TT_IS_HOST = 0,	      /* the program does not run at one of the host's hooks */
	TT_PACKET_PLACES = 1, /* packets that a CPU may have in hand: softirqs are off, so no program interrupts another */
};

/* What reading takes besides the frame. */
struct tt_bytes {
};

/* The size bytes at a frame offset, or NULL if the linear part ends before. */
static __always_inline void *tt_header(const tt_skb *skb, __u32 offset, const __u32 size)
{
	void *at = (void *)(long)skb->data + offset;

	return at + size <= (void *)(long)skb->data_end ? at : NULL;
}

enum tt_link_bits {
	TT_LINK_ETHERTYPE = 48, /* where it begins, in network order */
};

/* Source MAC and ethertype, which is what a frame's bytes 6 to 13 hold; 0 if the linear part ends before. */
static __always_inline __u64 tt_link(const tt_skb *skb)
{
	const __u8 *frame = tt_header(skb, 0, ETH_HLEN);

	return frame ? *(const tt_any64 *)(frame + ETH_ALEN) : 0;
}

/* Copies size bytes from a frame offset. 0, or an error if the frame ends before. */
static __always_inline long tt_load(tt_skb *skb, __u32 offset, void *to, __u32 size)
{
	return bpf_skb_load_bytes(skb, offset, to, size);
}

/* Bytes of the frame. */
static __always_inline __u32 tt_length(const tt_skb *skb)
{
	return skb->len;
}

/* Like tt_header, for reading only: bytes outside the linear part are copied, unless is_fast. */
static __always_inline const void *tt_peek(tt_skb *skb, const struct tt_bytes *bytes, bool is_fast, __u32 offset,
					   const __u32 size, void *buffer)
{
	const void *at = tt_header(skb, offset, size);

	if (at || is_fast)
		return at;
	return tt_load(skb, offset, buffer, size) ? NULL : buffer;
}

/* Several packets in one, before segmentation. */
static __always_inline bool tt_is_train(const tt_skb *skb)
{
	return skb->gso_size != 0;
}

#endif
