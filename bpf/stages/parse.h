/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* From IP header to addresses, protocol and ports. Everything that the headers claim is checked here, once. No maps. */
#ifndef TT_STAGES_PARSE_H
#define TT_STAGES_PARSE_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>

#include "abi/common.h"
#include "abi/event.h"
#include "abi/flow.h"
#include "lib/packet.h"

enum tt_header_bytes {
	TT_TCP_BYTES = 20,
	TT_SCTP_BYTES = 12,
	TT_SHORT_BYTES = 8, /* UDP, UDPLite, ICMP, ICMPv6 */
	TT_IPV4_PLAIN = 0x45, /* first byte: version 4, no options */
	TT_IPV4_MORE = 0x2000,
	TT_IPV4_OFFSET = 0x1fff,
};

/* Bytes that must be there for the ports, or type and code, to be believed; 0 = a bare protocol. */
static __always_inline __u32 tt_layer4_bytes(__u8 protocol)
{
	switch (protocol) {
	case TT_PROTO_TCP:
		return TT_TCP_BYTES;
	case TT_PROTO_SCTP:
		return TT_SCTP_BYTES;
	case TT_PROTO_UDP:
	case TT_PROTO_UDPLITE:
	case TT_PROTO_ICMP:
	case TT_PROTO_ICMPV6:
		return TT_SHORT_BYTES;
	default:
		return 0;
	}
}

/* Length fields are zero in packets too long for them, which only exist before segmentation (BIG TCP). */
static __always_inline bool tt_is_oversized(const struct tt_context *context)
{
	return tt_is_train(context->skb);
}

static __always_inline enum tt_verdict tt_parse_ipv4(const struct tt_context *context, struct tt_packet *packet)
{
	struct iphdr copy;
	const struct iphdr *ip = tt_read(context, ETH_HLEN, sizeof(*ip), &copy);
	__u32 header, total, fragment;

	if (!ip)
		return tt_drop(packet, TT_REASON_DROP_TRUNCATED);
	header = context->is_fast ? sizeof(*ip) : ip->ihl * 4;
	total = bpf_ntohs(ip->tot_len);
	if (context->is_fast && *(const __u8 *)ip != TT_IPV4_PLAIN)
		return TT_DROP;
	if (ip->version != 4 || header < sizeof(*ip))
		return tt_drop(packet, TT_REASON_DROP_MALFORMED);
	if (total < header) {
		if (total || !tt_is_oversized(context))
			return tt_drop(packet, TT_REASON_DROP_MALFORMED);
		total = packet->length;
	}
	if (total > packet->length)
		return tt_drop(packet, TT_REASON_DROP_TRUNCATED);
	packet->family = 4;
	packet->protocol = ip->protocol;
	packet->source = tt_ip_from_v4(ip->saddr);
	packet->destination = tt_ip_from_v4(ip->daddr);
	packet->length = total;
	packet->end = ETH_HLEN + total;
	packet->layer4 = ETH_HLEN + header;
	fragment = bpf_ntohs(ip->frag_off) & (TT_IPV4_MORE | TT_IPV4_OFFSET);
	if (fragment) {
		if (context->is_fast)
			return TT_DROP;
		packet->fragment_offset = (fragment & TT_IPV4_OFFSET) * 8;
		packet->fragment = packet->fragment_offset ? TT_FRAGMENT_LATER : TT_FRAGMENT_FIRST;
		packet->fragment_header = ETH_HLEN;
	}
	return TT_CONTINUE;
}

/* IPv4-mapped addresses are refused: inside Tortie they stand for IPv4, on the wire they stand for nothing. */
static __always_inline enum tt_verdict tt_parse_ipv6(const struct tt_context *context, struct tt_packet *packet)
{
	struct ipv6hdr copy __attribute__((aligned(8)));
	const struct ipv6hdr *ip = tt_read(context, ETH_HLEN, sizeof(*ip), &copy);
	__u32 total;

	if (!ip)
		return tt_drop(packet, TT_REASON_DROP_TRUNCATED);
	if (ip->version != 6)
		return tt_drop(packet, TT_REASON_DROP_MALFORMED);
	total = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	if (total == sizeof(*ip) && tt_is_oversized(context))
		total = packet->length;
	if (total > packet->length)
		return tt_drop(packet, TT_REASON_DROP_TRUNCATED);
	packet->family = 6;
	packet->protocol = ip->nexthdr;
	packet->hop_limit = ip->hop_limit;
	packet->source = tt_ip_load(&ip->saddr);
	packet->destination = tt_ip_load(&ip->daddr);
	packet->length = total;
	packet->end = ETH_HLEN + total;
	packet->layer4 = ETH_HLEN + sizeof(*ip);
	if (tt_ip_is_mapped(&packet->source) || tt_ip_is_mapped(&packet->destination))
		return tt_drop(packet, TT_REASON_DROP_MALFORMED);
	if (!tt_is_extension(packet->protocol))
		return TT_CONTINUE;
	return tt_extensions(context, packet);
}

/* Requests and replies share a flow, but only with code 0: other codes are judged by policy each on its own. */
static __always_inline bool tt_is_echo(__u8 protocol, __u8 type, __u8 code)
{
	if (code)
		return false;
	if (protocol == TT_PROTO_ICMP)
		return type == TT_ICMP_ECHO_REQUEST || type == TT_ICMP_ECHO_REPLY;
	return type == TT_ICMPV6_ECHO_REQUEST || type == TT_ICMPV6_ECHO_REPLY;
}

static __always_inline void tt_parse_icmp(struct tt_packet *packet, const __u8 *header)
{
	const __u32 identifier = *(const tt_any32 *)(header + 4) & 0xffff;

	packet->icmp_type = header[0];
	packet->icmp_code = header[1];
	packet->kind = TT_FLOW_ICMP_OTHER;
	if (tt_is_echo(packet->protocol, packet->icmp_type, packet->icmp_code)) {
		packet->kind = TT_FLOW_ECHO;
		packet->ports = identifier << 16 | identifier;
	}
}

/* Why a packet too short for its protocol is dropped: a first fragment was cut there on purpose (RFC 1858). */
static __always_inline enum tt_verdict tt_parse_short(struct tt_packet *packet)
{
	return tt_drop(packet, packet->fragment ? TT_REASON_DROP_FRAGMENT_TINY : TT_REASON_DROP_TRUNCATED);
}

/* A later fragment has no ports, and must not reach back over those of the first (RFC 3128). */
static __always_inline enum tt_verdict tt_parse_later(struct tt_packet *packet)
{
	packet->kind = tt_layer4_bytes(packet->protocol) ? TT_FLOW_PORTS : TT_FLOW_PROTOCOL;
	if (packet->fragment_offset < tt_layer4_bytes(packet->protocol))
		return tt_drop(packet, TT_REASON_DROP_MALFORMED);
	return TT_CONTINUE;
}

/* Whether the final header, of so many bytes, lies within the IP packet and within reach of packet pointers. */
static __always_inline bool tt_layer4_fits(const struct tt_packet *packet, __u32 bytes)
{
	return packet->layer4 <= TT_HEADERS_LIMIT && packet->layer4 + bytes <= packet->end;
}

static __always_inline enum tt_verdict tt_parse_tcp(const struct tt_context *context, struct tt_packet *packet)
{
	__u8 copy[TT_TCP_BYTES] __attribute__((aligned(8)));
	const __u8 *header;

	if (!tt_layer4_fits(packet, TT_TCP_BYTES))
		return tt_parse_short(packet);
	header = tt_read(context, packet->layer4, TT_TCP_BYTES, copy);
	if (!header)
		return tt_drop(packet, TT_REASON_DROP_TRUNCATED);
	if (header[12] < (TT_TCP_BYTES / 4) << 4)
		return tt_drop(packet, TT_REASON_DROP_MALFORMED);
	packet->ports = *(const tt_any32 *)header;
	packet->tcp_flags = header[13];
	packet->is_cacheable = !packet->fragment && !(header[13] & (TT_TCP_SYN | TT_TCP_FIN | TT_TCP_RST));
	return TT_CONTINUE;
}

/* UDP, UDPLite, SCTP, ICMP: bytes is what must be there, of which eight are read. */
static __always_inline enum tt_verdict tt_parse_others(const struct tt_context *context, struct tt_packet *packet,
						       __u32 bytes)
{
	__u8 copy[TT_SHORT_BYTES] __attribute__((aligned(8)));
	const __u8 *header;

	if (!tt_layer4_fits(packet, bytes))
		return tt_parse_short(packet);
	header = tt_read(context, packet->layer4, TT_SHORT_BYTES, copy);
	if (!header)
		return tt_drop(packet, TT_REASON_DROP_TRUNCATED);
	if (packet->protocol == TT_PROTO_ICMP || packet->protocol == TT_PROTO_ICMPV6) {
		tt_parse_icmp(packet, header);
		return TT_CONTINUE;
	}
	packet->ports = *(const tt_any32 *)header;
	packet->is_cacheable = !packet->fragment;
	return TT_CONTINUE;
}

static __always_inline enum tt_verdict tt_parse_layer4(const struct tt_context *context, struct tt_packet *packet)
{
	if (packet->fragment == TT_FRAGMENT_LATER)
		return tt_parse_later(packet);
	if (packet->protocol == TT_PROTO_TCP)
		return tt_parse_tcp(context, packet);
	if (packet->protocol == TT_PROTO_UDP)
		return tt_parse_others(context, packet, TT_SHORT_BYTES);
	if (tt_layer4_bytes(packet->protocol))
		return tt_parse_others(context, packet, tt_layer4_bytes(packet->protocol));
	packet->kind = TT_FLOW_PROTOCOL;
	packet->is_cacheable = !packet->fragment;
	return packet->layer4 <= packet->end ? TT_CONTINUE : tt_drop(packet, TT_REASON_DROP_TRUNCATED);
}

static __always_inline enum tt_verdict tt_parse_ip(const struct tt_context *context, struct tt_packet *packet,
						   __u8 family)
{
	const enum tt_verdict verdict = family == 4 ? tt_parse_ipv4(context, packet) : tt_parse_ipv6(context, packet);

	return verdict == TT_CONTINUE ? tt_parse_layer4(context, packet) : verdict;
}

#endif
