/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The setting that cuts workloads off from their own host: asks the routing table, so only for new flows. */
#ifndef TT_STAGES_HOST_H
#define TT_STAGES_HOST_H

#include "maps/packet.h"
#include "abi/event.h"
#include "abi/heap.h"
#include "lib/packet.h"

enum tt_address_family {
	TT_AF_INET = 2,
	TT_AF_INET6 = 10,
};

/*
 * Whether the host would not forward the packet in tt_packets but take it. Broadcast and multicast count as the
 * host's; so does everything when the host forwards nothing at all.
 */
__noinline int tt_is_for_host(struct __sk_buff *skb)
{
	const struct tt_packet *packet = tt_packet_here();
	struct bpf_fib_lookup query = {};
	long result;

	if (!packet)
		return false;
	query.ifindex = packet->ifindex;
	if (packet->family == 4) {
		query.family = TT_AF_INET;
		query.ipv4_src = (__be32)(packet->source.half[1] >> 32);
		query.ipv4_dst = (__be32)(packet->destination.half[1] >> 32);
	} else {
		query.family = TT_AF_INET6;
		__builtin_memcpy(query.ipv6_src, &packet->source, sizeof(query.ipv6_src));
		__builtin_memcpy(query.ipv6_dst, &packet->destination, sizeof(query.ipv6_dst));
	}
	result = bpf_fib_lookup(skb, &query, sizeof(query), 0);
	return result == BPF_FIB_LKUP_RET_NOT_FWDED || result == BPF_FIB_LKUP_RET_FWD_DISABLED;
}

static __always_inline enum tt_verdict tt_host(const struct tt_context *context, struct tt_packet *packet)
{
	if (!(context->state->flags & TT_STATE_HOST_DROP) || !tt_is_for_host(context->skb))
		return TT_CONTINUE;
	return tt_drop(packet, TT_REASON_DROP_HOST);
}

#endif
