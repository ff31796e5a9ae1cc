/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The name of a connection, the same in both directions. No maps. */
#ifndef TT_STAGES_KEY_H
#define TT_STAGES_KEY_H

#include <bpf/bpf_endian.h>

#include "abi/flow.h"
#include "lib/packet.h"

/* Who talks to whom, as one packet says it; ports as in struct tt_packet. */
struct tt_tuple {
	struct tt_ip source;
	struct tt_ip destination;
	__u32 ports;
	__u8 protocol;
	__u8 kind;
	__u8 icmp_type;
	__u8 icmp_code;
};

static __always_inline struct tt_tuple tt_tuple_of(const struct tt_packet *packet)
{
	return (struct tt_tuple){
		.source = packet->source,
		.destination = packet->destination,
		.ports = packet->ports,
		.protocol = packet->protocol,
		.kind = packet->kind,
		.icmp_type = packet->icmp_type,
		.icmp_code = packet->icmp_code,
	};
}

/* Half by half: choosing between addresses of the tuple's parts would put all of it on the stack. */
static __always_inline void tt_key_fill(struct tt_flow_key *key, const struct tt_tuple *tuple, __u32 ports,
					bool is_high)
{
	const struct tt_ip *source = &tuple->source, *destination = &tuple->destination;
	tt_any64 *low = (void *)&key->address[0], *high = (void *)&key->address[1];

	__builtin_memset(key, 0, sizeof(*key));
	low[0] = is_high ? destination->half[0] : source->half[0];
	low[1] = is_high ? destination->half[1] : source->half[1];
	high[0] = is_high ? source->half[0] : destination->half[0];
	high[1] = is_high ? source->half[1] : destination->half[1];
	key->port[0] = (__be16)(is_high ? ports >> 16 : ports);
	key->port[1] = (__be16)(is_high ? ports : ports >> 16);
	key->protocol = tuple->protocol;
	key->kind = tuple->kind;
}

/* Whether the source is end 1 of the key, for kinds whose two directions look alike. */
static __always_inline bool tt_is_upper_end(const struct tt_tuple *tuple)
{
	const int order = tt_ip_compare(&tuple->source, &tuple->destination);

	if (order)
		return order > 0;
	return bpf_ntohs((__be16)tuple->ports) > bpf_ntohs((__be16)(tuple->ports >> 16));
}

static __always_inline bool tt_is_echo_reply(__u8 protocol, __u8 kind, __u8 icmp_type)
{
	return kind == TT_FLOW_ECHO &&
	       icmp_type == (protocol == TT_PROTO_ICMP ? TT_ICMP_ECHO_REPLY : TT_ICMPV6_ECHO_REPLY);
}

/*
 * Writes the tuple's key and tells whether its source is end 1. For ICMP, end 0 is who asked: otherwise a ping in the
 * other direction with the same identifier would pass as the reply to this one.
 */
static __always_inline bool tt_key(const struct tt_tuple *tuple, struct tt_flow_key *key)
{
	__u32 ports = tuple->ports;
	bool is_high = false;

	if (tuple->kind == TT_FLOW_ECHO)
		is_high = tt_is_echo_reply(tuple->protocol, tuple->kind, tuple->icmp_type);
	else if (tuple->kind == TT_FLOW_ICMP_OTHER)
		ports = (__u32)tuple->icmp_code << 24 | (__u32)tuple->icmp_type << 8;
	else
		is_high = tt_is_upper_end(tuple);
	tt_key_fill(key, tuple, ports, is_high);
	return is_high;
}

#endif
