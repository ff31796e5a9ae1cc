/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Straight into the receiving workload, past the stack, wherever the stack would only have forwarded. */
#ifndef TT_STAGES_DELIVER_H
#define TT_STAGES_DELIVER_H

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>

#include "maps/endpoint.h"
#include "abi/endpoint.h"
#include "abi/flow.h"
#include "lib/packet.h"
#include "lib/ttl.h"

_Static_assert(offsetof(struct tt_endpoint, host_mac) == offsetof(struct tt_endpoint, mac) + ETH_ALEN,
	       "both MACs are copied at once, in the order of an Ethernet header");
_Static_assert(offsetof(struct tt_endpoint, mac) % 8 == 0, "and as 64 and 32 bits");

/* Longer than the receiver's MTU once segmented. Not a TCP or UDP segment: no telling, so the stack decides. */
static __always_inline bool tt_is_too_long(struct __sk_buff *skb, const struct tt_packet *packet, __u32 mtu)
{
	const __u32 segment = skb->gso_size;
	__u32 headers = packet->layer4 - ETH_HLEN;
	__u8 words;

	if (skb->len - ETH_HLEN <= mtu)
		return false;
	if (!segment)
		return true;
	if (packet->protocol == TT_PROTO_UDP) {
		headers += TT_SHORT_BYTES;
	} else if (packet->protocol == TT_PROTO_TCP) {
		if (bpf_skb_load_bytes(skb, packet->layer4 + 12, &words, sizeof(words)))
			return true;
		headers += (words >> 4) * 4;
	} else {
		return true;
	}
	return segment + headers > mtu;
}

/* false: this hop is the packet's last, and the stack must tell the sender. */
static __always_inline bool tt_take_hop(struct __sk_buff *skb, __u8 family)
{
	if (family == 4) {
		struct iphdr *ip = tt_header(skb, ETH_HLEN, sizeof(*ip));

		if (!ip || ip->ttl <= 1)
			return false;
		tt_decrease_ttl(ip);
	} else {
		struct ipv6hdr *ip = tt_header(skb, ETH_HLEN, sizeof(*ip));

		if (!ip || ip->hop_limit <= 1)
			return false;
		ip->hop_limit--;
	}
	return true;
}

/*
 * Returns the program's return code for an allowed packet that a workload sent. What the stack would not have
 * forwarded, or must answer, and headers outside the linear part, it gets.
 */
static __always_inline int tt_deliver(struct __sk_buff *skb, const struct tt_packet *packet)
{
	const struct tt_endpoint *target;
	const tt_any32 *macs;
	tt_any32 *frame;

	if (!packet->target || skb->pkt_type != PACKET_HOST)
		return TC_ACT_OK;
	target = tt_endpoint_at(packet->target_slot);
	/* A cached target may have left since: then its entry is another's, whose MAC would go with the wrong interface. */
	if (!target || target->ifindex != packet->target)
		return TC_ACT_OK;
	if (tt_is_too_long(skb, packet, target->mtu) || !tt_take_hop(skb, packet->family))
		return TC_ACT_OK;
	frame = tt_header(skb, 0, ETH_HLEN);
	if (!frame)
		return TC_ACT_SHOT;
	macs = (const void *)target->mac;
	*(tt_any64 *)frame = *(const tt_any64 *)macs;
	frame[2] = macs[2];
	return (int)bpf_redirect_peer(packet->target, 0);
}

#endif
