/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* ICMP errors: those that cite a packet of an allowed flow pass with it, all others are judged as any ICMP is. */
#ifndef TT_STAGES_RELATED_H
#define TT_STAGES_RELATED_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>

#include "maps/flow.h"
#include "maps/packet.h"
#include "abi/event.h"
#include "lib/packet.h"

enum tt_error_type {
	TT_ICMP_UNREACHABLE = 3,
	TT_ICMP_TIME_EXCEEDED = 11,
	TT_ICMP_PARAMETER_PROBLEM = 12,
	TT_ICMPV6_UNREACHABLE = 1,
	TT_ICMPV6_PARAMETER_PROBLEM = 4, /* 2 and 3 between them: too big, time exceeded */
	TT_CITED_V6_START = 8,		 /* bytes before the addresses */
};

static __always_inline bool tt_is_error(const struct tt_packet *packet)
{
	const __u8 type = packet->icmp_type;

	if (packet->kind != TT_FLOW_ICMP_OTHER || packet->fragment)
		return false;
	if (packet->family == 4)
		return packet->protocol == TT_PROTO_ICMP && (type == TT_ICMP_UNREACHABLE ||
							     type == TT_ICMP_TIME_EXCEEDED ||
							     type == TT_ICMP_PARAMETER_PROBLEM);
	return packet->protocol == TT_PROTO_ICMPV6 && type >= TT_ICMPV6_UNREACHABLE &&
	       type <= TT_ICMPV6_PARAMETER_PROBLEM;
}

/*
 * The cited IP header: fills in the tuple and returns the frame offset of what follows, or 0 if that has no ports to
 * find. Length fields are not checked: they speak of bytes that were not sent along.
 */
static __always_inline __u32 tt_cited_ipv4(tt_skb *skb, __u32 offset, struct tt_tuple *cited)
{
	struct iphdr ip;

	if (tt_load(skb, offset, &ip, sizeof(ip)))
		return 0;
	if (ip.version != 4 || ip.ihl < 5 || (ip.frag_off & bpf_htons(TT_IPV4_OFFSET)))
		return 0;
	cited->protocol = ip.protocol;
	cited->source = tt_ip_from_v4(ip.saddr);
	cited->destination = tt_ip_from_v4(ip.daddr);
	return offset + ip.ihl * 4;
}

static __always_inline __u32 tt_cited_ipv6(tt_skb *skb, __u32 offset, __u32 end, struct tt_tuple *cited)
{
	__u8 start[TT_CITED_V6_START];
	__u64 walk;

	if (tt_load(skb, offset, start, sizeof(start)) || start[0] >> 4 != 6)
		return 0;
	if (tt_load(skb, offset + sizeof(start), &cited->source, 2 * sizeof(cited->source)))
		return 0;
	walk = tt_extensions_walk(skb, start[6], offset + sizeof(struct ipv6hdr), end);
	if (walk >> TT_WALK_REASON_SHIFT || walk >> TT_WALK_OFFSET_SHIFT & 0xfff8)
		return 0;
	cited->protocol = walk;
	return walk >> TT_WALK_LAYER4_SHIFT & 0xffff;
}

static __always_inline bool tt_cited_layer4(tt_skb *skb, __u32 offset, struct tt_tuple *cited)
{
	__u8 header[TT_SHORT_BYTES] __attribute__((aligned(8)));

	cited->kind = TT_FLOW_PROTOCOL;
	if (!tt_layer4_bytes(cited->protocol))
		return true;
	if (tt_load(skb, offset, header, sizeof(header)))
		return false;
	cited->kind = TT_FLOW_PORTS;
	cited->ports = *(const tt_any32 *)header;
	if (cited->protocol != TT_PROTO_ICMP && cited->protocol != TT_PROTO_ICMPV6)
		return true;
	cited->kind = TT_FLOW_ECHO;
	cited->icmp_type = header[0];
	cited->ports = (__u32)header[5] << 24 | header[4] << 16 | header[5] << 8 | header[4];
	return tt_is_echo(cited->protocol, header[0], header[1]);
}

/*
 * The cited packet ran against the error. A workload may only cite what it received itself: with another's flow it
 * could otherwise reach that flow's sender past policy.
 */
static __always_inline bool tt_is_opposite(const struct tt_packet *packet, const struct tt_tuple *cited)
{
	if (!tt_ip_equal(&cited->source, &packet->destination))
		return false;
	if (packet->hook != TT_HOOK_FROM_WORKLOAD && !packet->is_from_workload)
		return true;
	return tt_ip_equal(&cited->destination, &packet->source);
}

/*
 * The host tells the sender what became of a packet that it was to forward. Where nothing judges what it forwards, no flow
 * is known of that, and the message is as free as the packet was.
 */
static __always_inline bool tt_is_of_transit(const struct tt_packet *packet, const struct tt_tuple *cited)
{
	return packet->hook == TT_HOOK_FROM_HOST && packet->is_transit_open &&
	       !tt_ip_equal(&cited->destination, &packet->source);
}

/* A flow judged under another generation waits for its own next packet: an error must not settle its fate. */
static __always_inline bool tt_is_cited_allowed(const struct tt_context *context, struct tt_packet *packet,
						const struct tt_tuple *cited)
{
	const struct tt_flow_entry *entry;
	struct tt_flow_place place;

	tt_key(cited, &packet->key);
	place = tt_flow_place(&packet->key, context->state->flow_seed);
	entry = tt_flow_at(&packet->key, &place);
	return entry && !tt_flow_is_unmet(&entry->flow) &&
	       !tt_is_expired(context, packet->jiffies, cited->protocol, &entry->flow) &&
	       !tt_flow_is_revoked(&entry->flow) && tt_flow_is_current(context, packet, &entry->flow);
}

/* On the packet in that place of tt_packets. A global function: its walk through the cited headers is verified once. */
__noinline int tt_related_error(tt_skb *skb, __u32 place)
{
	struct tt_packet *packet = tt_packet_at(place);
	struct tt_tuple cited = {};
	struct tt_context context;
	__u32 layer4;

	if (!packet || tt_resume(&context, packet, skb))
		return TT_CONTINUE;
	layer4 = packet->layer4 + TT_SHORT_BYTES;
	if (packet->family == 4)
		layer4 = tt_cited_ipv4(skb, layer4, &cited);
	else
		layer4 = tt_cited_ipv6(skb, layer4, packet->end, &cited);
	if (!layer4 || !tt_cited_layer4(skb, layer4, &cited) || !tt_is_opposite(packet, &cited))
		return TT_CONTINUE;
	if (!tt_is_of_transit(packet, &cited) && !tt_is_cited_allowed(&context, packet, &cited))
		return TT_CONTINUE;
	return tt_allow(packet, TT_REASON_ALLOWED_RELATED);
}

static __always_inline enum tt_verdict tt_related(const struct tt_context *context, struct tt_packet *packet)
{
	return tt_is_error(packet) ? tt_related_error(context->skb, packet->place) : TT_CONTINUE;
}

#endif
