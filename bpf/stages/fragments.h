/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Gives later fragments the ports of their first one. After the spoof check: nobody poisons another's datagrams. */
#ifndef TT_STAGES_FRAGMENTS_H
#define TT_STAGES_FRAGMENTS_H

#include "maps/flow.h"
#include "abi/event.h"
#include "lib/packet.h"

enum tt_fragment_dims {
	TT_FRAGMENT_SECONDS = 30, /* as the kernel's ipfrag_time */
};

/* IPv4's identification has 16 bits, IPv6's 32: at these places in the header and the fragment header. */
static __always_inline __be32 tt_fragment_identification(const struct tt_context *context,
							 const struct tt_packet *packet)
{
	__be32 wide = 0;
	__be16 narrow = 0;

	if (packet->family == 6)
		tt_load(context->skb, packet->fragment_header + 4, &wide, sizeof(wide));
	else if (!tt_load(context->skb, packet->fragment_header + 4, &narrow, sizeof(narrow)))
		wide = narrow;
	return wide;
}

static __always_inline void tt_fragment_key_fill(struct tt_fragment_key *key, const struct tt_context *context,
						 const struct tt_packet *packet)
{
	__builtin_memset(key, 0, sizeof(*key));
	__builtin_memcpy(&key->source, &packet->source, sizeof(key->source));
	__builtin_memcpy(&key->destination, &packet->destination, sizeof(key->destination));
	key->identification = tt_fragment_identification(context, packet);
	key->protocol = packet->family == 4 ? packet->protocol : 0;
}

static __always_inline void tt_fragment_remember(struct tt_packet *packet, const struct tt_fragment_key *key)
{
	const struct tt_fragment value = {
		.seen_jiffies = packet->jiffies,
		.source_port = tt_source_port(packet),
		.destination_port = tt_destination_port(packet),
		.icmp_type = packet->icmp_type,
		.icmp_code = packet->icmp_code,
		.protocol = packet->protocol,
	};

	/* If this fails, the datagram's later fragments are orphans: dropped, with that reason. */
	bpf_map_update_elem(&tt_fragments, key, &value, BPF_ANY);
}

static __always_inline enum tt_verdict tt_fragment_recall(const struct tt_context *context, struct tt_packet *packet,
							  const struct tt_fragment_key *key)
{
	const struct tt_fragment *first = bpf_map_lookup_elem(&tt_fragments, key);

	if (!first || packet->jiffies - first->seen_jiffies > (__u64)context->state->hz * TT_FRAGMENT_SECONDS)
		return tt_drop(packet, TT_REASON_DROP_FRAGMENT_ORPHAN);
	packet->protocol = first->protocol;
	packet->ports = (__u32)first->destination_port << 16 | first->source_port;
	packet->icmp_type = first->icmp_type;
	packet->icmp_code = first->icmp_code;
	if (!tt_layer4_bytes(packet->protocol))
		packet->kind = TT_FLOW_PROTOCOL;
	else if (packet->protocol != TT_PROTO_ICMP && packet->protocol != TT_PROTO_ICMPV6)
		packet->kind = TT_FLOW_PORTS;
	else if (tt_is_echo(packet->protocol, packet->icmp_type, packet->icmp_code))
		packet->kind = TT_FLOW_ECHO;
	else
		packet->kind = TT_FLOW_ICMP_OTHER;
	/* The first fragment's final protocol may be another than this header names: see RFC 3128 again. */
	if (packet->fragment_offset < tt_layer4_bytes(packet->protocol))
		return tt_drop(packet, TT_REASON_DROP_MALFORMED);
	return TT_CONTINUE;
}

/* A bare protocol needs no memory, unless extension headers stand between the fragment header and it. */
static __always_inline enum tt_verdict tt_fragment_ports(const struct tt_context *context, struct tt_packet *packet)
{
	struct tt_fragment_key key;

	if (!packet->fragment)
		return TT_CONTINUE;
	if (packet->fragment == TT_FRAGMENT_LATER && packet->kind == TT_FLOW_PROTOCOL &&
	    !(packet->family == 6 && tt_is_extension(packet->protocol)))
		return TT_CONTINUE;
	tt_fragment_key_fill(&key, context, packet);
	if (packet->fragment == TT_FRAGMENT_LATER)
		return tt_fragment_recall(context, packet, &key);
	tt_fragment_remember(packet, &key);
	return TT_CONTINUE;
}

#endif
