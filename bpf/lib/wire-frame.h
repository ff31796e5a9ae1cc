/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The packet's bytes at XDP, which sees a frame before the kernel has made a packet of it. Only the part that programs may
 * point into is read: whoever needs more leaves the frame to the stack. lib/frame.h is the same for tc.
 */
#ifndef TT_LIB_WIRE_FRAME_H
#define TT_LIB_WIRE_FRAME_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/ip.h"

/* What the kernel hands to a program. */
typedef struct xdp_md tt_skb;

enum tt_wire_place {
	TT_IS_HOST = 1,	      /* what comes in here is the host's: judged as at its hooks */
	TT_PACKET_PLACES = 1, /* packets that a CPU may have in hand */
};

/* What reading takes besides the frame. */
struct tt_bytes {
};

/* The size bytes at a frame offset, or NULL if what can be pointed into ends before. */
static __always_inline void *tt_header(const tt_skb *frame, __u32 offset, const __u32 size)
{
	void *at = (void *)(long)frame->data + offset;

	return at + size <= (void *)(long)frame->data_end ? at : NULL;
}

/* Copies size bytes from a frame offset. 0, or an error if the frame ends before. Linux 5.18. */
static __always_inline long tt_load(tt_skb *frame, __u32 offset, void *to, __u32 size)
{
	return bpf_xdp_load_bytes(frame, offset, to, size);
}

/* Like tt_header, for reading only. */
static __always_inline const void *tt_peek(tt_skb *frame, const struct tt_bytes *bytes, bool is_fast, __u32 offset,
					   const __u32 size, void *buffer)
{
	return tt_header(frame, offset, size);
}

/* Bytes of the frame, also of those that are in several buffers. */
static __always_inline __u32 tt_frame_length(tt_skb *frame)
{
#ifdef TT_FRAMES_IN_PARTS
	return bpf_xdp_get_buff_len(frame);
#else
	return frame->data_end - frame->data;
#endif
}

/* Frames from the wire hold one packet each. */
static __always_inline bool tt_is_train(const tt_skb *frame)
{
	return false;
}

#endif
