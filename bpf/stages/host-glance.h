/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * A first look at a packet at the host's hooks: TCP and UDP without options, extensions and fragments, whose headers the kernel
 * has in one piece. They are read where they lie. Everything else is left to stages/parse.h. No maps.
 */
#ifndef TT_STAGES_HOST_GLANCE_H
#define TT_STAGES_HOST_GLANCE_H

#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>

#include "lib/packet.h"

enum tt_glance_places {
	TT_GLANCE_V4_MORE = 0xff3f, /* offset and MF of the fragment field, as a little-endian CPU reads it */
	TT_GLANCE_TCP_WORD = 8,	    /* bytes of a TCP header before the 64 bits with its length and flags */
};

/* Eight bytes of the kernel's own memory. Reading where nothing is gives zeros. */
static __always_inline __u64 tt_glance_word(unsigned long at)
{
	return *(const tt_any64 *)tt_kernel_struct(struct in6_addr___bytes, at);
}

/* Ports and, of TCP, flags. */
static __always_inline bool tt_glance_layer4(struct tt_packet *packet, unsigned long at, __u32 room, __u32 linear)
{
	const bool is_tcp = packet->protocol == TT_PROTO_TCP;
	const __u32 least = is_tcp ? TT_TCP_BYTES : TT_SHORT_BYTES;
	__u64 word;

	if ((!is_tcp && packet->protocol != TT_PROTO_UDP) || room < least || linear < least)
		return false;
	packet->ports = tt_glance_word(at);
	packet->kind = TT_FLOW_PORTS;
	packet->is_cacheable = true;
	if (!is_tcp)
		return true;
	word = tt_glance_word(at + TT_GLANCE_TCP_WORD);
	packet->tcp_flags = word >> 40;
	packet->is_cacheable = !(packet->tcp_flags & (TT_TCP_SYN | TT_TCP_FIN | TT_TCP_RST));
	return (word >> 32 & 0xff) >= (TT_TCP_BYTES / 4) << 4;
}

static __always_inline bool tt_glance_ipv4(struct tt_packet *packet, unsigned long at, __u32 length, __u32 linear)
{
	const __u64 start = tt_glance_word(at), middle = tt_glance_word(at + 8);
	const __u32 total = bpf_ntohs((__be16)(start >> 16));

	if (linear < sizeof(struct iphdr) || (__u8)start != TT_IPV4_PLAIN || (start >> 48 & TT_GLANCE_V4_MORE))
		return false;
	if (total < sizeof(struct iphdr) || total > length)
		return false;
	packet->protocol = middle >> 8;
	packet->source = tt_ip_from_v4((__be32)(middle >> 32));
	packet->destination = tt_ip_from_v4((__be32)tt_glance_word(at + 16));
	packet->length = total;
	return tt_glance_layer4(packet, at + sizeof(struct iphdr), total - sizeof(struct iphdr),
				linear - sizeof(struct iphdr));
}

/* Addresses whose upper half is zero may be mapped ones, which are not believed. */
static __always_inline bool tt_glance_ipv6(struct tt_packet *packet, unsigned long at, __u32 length, __u32 linear)
{
	const __u64 start = tt_glance_word(at);
	const __u32 payload = bpf_ntohs((__be16)(start >> 32));

	if (linear < sizeof(struct ipv6hdr) || (start & 0xf0) != 0x60 || payload + sizeof(struct ipv6hdr) > length)
		return false;
	packet->protocol = start >> 48;
	packet->source = (struct tt_ip){ .half = { tt_glance_word(at + 8), tt_glance_word(at + 16) } };
	packet->destination = (struct tt_ip){ .half = { tt_glance_word(at + 24), tt_glance_word(at + 32) } };
	packet->length = payload + sizeof(struct ipv6hdr);
	if (!packet->source.half[0] || !packet->destination.half[0])
		return false;
	return tt_glance_layer4(packet, at + sizeof(struct ipv6hdr), payload, linear - sizeof(struct ipv6hdr));
}

/* false: all that is told below may be wrong. Packets that may be DHCPv6 pass before policy, if at all. */
static __always_inline bool tt_host_glance(struct tt_packet *packet, const tt_skb *skb)
{
	const struct sk_buff *bytes = skb->skb;
	const unsigned long at = (unsigned long)bytes->data;
	const __u32 length = bytes->len, linear = length - bytes->data_len;

	if (skb->state->pf == TT_NFPROTO_IPV4)
		return tt_glance_ipv4(packet, at, length, linear);
	if (!tt_glance_ipv6(packet, at, length, linear))
		return false;
	return packet->protocol == TT_PROTO_TCP || (tt_destination_port(packet) != bpf_htons(TT_DHCPV6_CLIENT) &&
						    tt_destination_port(packet) != bpf_htons(TT_DHCPV6_SERVER));
}

#endif
