/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The packet's bytes at netfilter's hooks, which see no frame. Offsets are those of a frame all the same, as if an
 * Ethernet header were in front: so all stages count alike. lib/frame.h is the same for tc.
 */
#ifndef TT_LIB_DATAGRAM_H
#define TT_LIB_DATAGRAM_H

#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stddef.h>

#include "abi/host.h"
#include "lib/ip.h"
#include "lib/kernel.h"

/* What the kernel hands to a program. */
typedef struct bpf_nf_ctx tt_skb;

enum tt_datagram_place {
	TT_IS_HOST = 1,
	/*
	 * Packets that a CPU may have begun on. What the host sends is judged in the context of the sender, which softirqs
	 * interrupt and other senders push aside.
	 */
	TT_PACKET_PLACES = TT_HOST_PACKETS,
};

/* What reading takes besides the context. */
struct tt_bytes {
	struct bpf_dynptr all;
};

/* Before the first tt_peek of a function; closed in the same. 0 or an error. */
static __always_inline long tt_bytes_open(const tt_skb *skb, struct tt_bytes *bytes)
{
	return bpf_dynptr_from_skb((struct __sk_buff *)skb->skb, 0, &bytes->all);
}

/* The verifier lets no helper write where one lies, and the compiler may use the place again. */
static __always_inline void tt_bytes_close(struct tt_bytes *bytes)
{
	volatile tt_any64 *word = (void *)&bytes->all;

	word[0] = 0;
	word[1] = 0;
}

/* Copies size bytes from a frame offset. 0, or an error if the packet ends before. */
static __always_inline long tt_load(const tt_skb *skb, __u32 offset, void *to, __u32 size)
{
	struct tt_bytes bytes;
	long error = -EFAULT;

	if (offset >= ETH_HLEN && !tt_bytes_open(skb, &bytes))
		error = bpf_dynptr_read(to, size, &bytes.all, offset - ETH_HLEN, 0);
	tt_bytes_close(&bytes);
	return error;
}

/* Bytes of the packet, which has no frame. */
static __always_inline __u32 tt_length(const tt_skb *skb)
{
	return skb->skb->len;
}

/* The size bytes at a frame offset, for reading only, maybe copied to buffer. NULL if the packet ends before. */
static __always_inline const void *tt_peek(const tt_skb *skb, const struct tt_bytes *bytes, bool is_fast, __u32 offset,
					   const __u32 size, void *buffer)
{
	return bpf_dynptr_slice(&bytes->all, offset - ETH_HLEN, buffer, size);
}

/* Several packets in one, before segmentation. */
static __always_inline bool tt_is_train(const tt_skb *skb)
{
	const struct sk_buff *packet = skb->skb;

	return tt_kernel_struct(struct skb_shared_info, packet->head + packet->end)->gso_size != 0;
}

#endif
