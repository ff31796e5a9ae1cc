/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What a frame holds: IP goes on to be parsed, ARP passes, all else is dropped. No maps. */
#ifndef TT_STAGES_ETHERNET_H
#define TT_STAGES_ETHERNET_H

#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>

#include "abi/event.h"
#include "lib/packet.h"

/* VLAN tags, whether the device has taken them off or not, belong to networks that no endpoint here is part of. */
static __always_inline __be16 tt_ethertype(const struct tt_context *context)
{
	const struct ethhdr *ethernet = tt_header(context->skb, 0, sizeof(*ethernet));

	if (!ethernet || context->skb->vlan_present)
		return 0;
	/* struct ethhdr is packed, for which the compiler loads byte by byte. */
	return *(const tt_any16 *)((const __u8 *)ethernet + offsetof(struct ethhdr, h_proto));
}

static __always_inline enum tt_verdict tt_parse(const struct tt_context *context, struct tt_packet *packet)
{
	switch (tt_ethertype(context)) {
	case bpf_htons(ETH_P_IP):
		return tt_parse_ip(context, packet, 4);
	case bpf_htons(ETH_P_IPV6):
		return tt_parse_ip(context, packet, 6);
	case bpf_htons(ETH_P_ARP):
		return tt_allow(packet, TT_REASON_ALLOWED_NEIGHBOUR);
	default:
		return tt_drop(packet, TT_REASON_DROP_ETHERTYPE);
	}
}

#endif
