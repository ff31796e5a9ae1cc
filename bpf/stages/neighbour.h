/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The IPv6 messages without which a link has no neighbours: they pass before policy, as ARP does. At a host also those by
 * which it gets its addresses and routers: docs/hosts.md lists them. No maps.
 */
#ifndef TT_STAGES_NEIGHBOUR_H
#define TT_STAGES_NEIGHBOUR_H

#include <bpf/bpf_endian.h>

#include "abi/event.h"
#include "lib/packet.h"

enum tt_link_type {
	TT_LISTENER_QUERY = 130,
	TT_LISTENER_REPORT = 131,
	TT_LISTENER_DONE = 132,
	TT_ROUTER_SOLICITATION = 133,
	TT_ROUTER_ADVERTISEMENT = 134,
	TT_NEIGHBOUR_SOLICITATION = 135,
	TT_NEIGHBOUR_ADVERTISEMENT = 136,
	TT_LISTENER_REPORT_V2 = 143,
};

enum tt_dhcpv6_port {
	TT_DHCPV6_CLIENT = 546,
	TT_DHCPV6_SERVER = 547,
};

static __always_inline bool tt_is_link_local(const struct tt_ip *ip)
{
	return (bpf_be64_to_cpu(ip->half[0]) & 0xffc0000000000000ULL) == 0xfe80000000000000ULL;
}

static __always_inline bool tt_is_link_multicast(const struct tt_ip *ip)
{
	return bpf_be64_to_cpu(ip->half[0]) >> 48 == 0xff02;
}

/* Discovery is only believed with hop limit 255, which no router lets through (RFC 4861, 7.1). */
static __always_inline bool tt_is_link_message(const struct tt_packet *packet)
{
	switch (packet->icmp_type) {
	case TT_LISTENER_QUERY:
	case TT_LISTENER_REPORT:
	case TT_LISTENER_DONE:
		return true;
	case TT_LISTENER_REPORT_V2:
		return TT_IS_HOST;
	case TT_ROUTER_SOLICITATION:
	case TT_NEIGHBOUR_SOLICITATION:
	case TT_NEIGHBOUR_ADVERTISEMENT:
		return packet->hop_limit == 255;
	default:
		return false;
	}
}

/* DHCPv6 of a host that is a client, with servers and relays of its link (RFC 8415, 7.2). Workloads are neither. */
static __always_inline bool tt_is_addressing(const struct tt_packet *packet)
{
	if (packet->fragment || packet->is_from_workload || !tt_is_link_local(&packet->source))
		return false;
	if (packet->hook == TT_HOOK_TO_HOST)
		return tt_destination_port(packet) == bpf_htons(TT_DHCPV6_CLIENT) &&
		       tt_is_link_local(&packet->destination);
	return packet->hook == TT_HOOK_FROM_HOST && tt_source_port(packet) == bpf_htons(TT_DHCPV6_CLIENT) &&
	       tt_destination_port(packet) == bpf_htons(TT_DHCPV6_SERVER) &&
	       (tt_is_link_local(&packet->destination) || tt_is_link_multicast(&packet->destination));
}

/* A router of the link tells the host where to send, as RFC 4861, 6.1.2, wants to have it. Workloads are none. */
static __always_inline bool tt_is_router_message(const struct tt_packet *packet)
{
	return packet->icmp_type == TT_ROUTER_ADVERTISEMENT && packet->hop_limit == 255 &&
	       packet->hook == TT_HOOK_TO_HOST && !packet->is_from_workload && tt_is_link_local(&packet->source);
}

static __always_inline enum tt_verdict tt_neighbour(struct tt_packet *packet)
{
	if (TT_IS_HOST && packet->family == 6 && packet->protocol == TT_PROTO_UDP && tt_is_addressing(packet))
		return tt_allow(packet, TT_REASON_ALLOWED_NEIGHBOUR);
	if (packet->kind != TT_FLOW_ICMP_OTHER || packet->protocol != TT_PROTO_ICMPV6 || packet->family != 6)
		return TT_CONTINUE;
	if (TT_IS_HOST && !packet->fragment && tt_is_router_message(packet))
		return tt_allow(packet, TT_REASON_ALLOWED_NEIGHBOUR);
	if (packet->fragment || !tt_is_link_message(packet))
		return TT_CONTINUE;
	/* A host has neighbours by its global addresses too, where a workload has none but its host. */
	if (TT_IS_HOST && packet->hop_limit == 255)
		return tt_allow(packet, TT_REASON_ALLOWED_NEIGHBOUR);
	if (tt_ip_is_zero(&packet->source) || tt_is_link_local(&packet->source) ||
	    tt_is_link_multicast(&packet->destination) || tt_is_link_local(&packet->destination))
		return tt_allow(packet, TT_REASON_ALLOWED_NEIGHBOUR);
	return TT_CONTINUE;
}

#endif
