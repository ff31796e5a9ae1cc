/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What packets were before the host translated them, as connection tracking knows; nothing else is asked there. */
#ifndef TT_STAGES_HOST_ORIGINAL_H
#define TT_STAGES_HOST_ORIGINAL_H

#include "lib/packet.h"

enum tt_tracking_bits {
	TT_TRACKING_INFO = 7,	   /* of sk_buff._nfct: enum ip_conntrack_info */
	TT_TRACKING_RELATED = 1,   /* an error about the connection, with addresses of its own */
	TT_TRACKING_REPLY = 3,	   /* from here on, except for the last */
	TT_TRACKING_RELATED_REPLY = 4,
	TT_TRACKING_UNTRACKED = 7,
};

struct tt_original {
	struct tt_ip address;
	__be16 port;
};

static __always_inline bool tt_original_of_test(struct tt_original *original)
{
	original->address = tt_ip_load(tt_host_test.original);
	original->port = tt_host_test.original_port;
	return tt_host_test.has_original;
}

/* The packet's connection, and how the packet belongs to it; NULL if it has none. */
static __always_inline const struct nf_conn *tt_tracked(const tt_skb *skb, unsigned long *info)
{
	const struct sk_buff *tracked = skb->skb;
	unsigned long bits;

	if (!bpf_core_field_exists(tracked->_nfct) || !bpf_core_type_exists(struct nf_conn))
		return NULL;
	bits = tracked->_nfct;
	*info = bits & TT_TRACKING_INFO;
	return *info == TT_TRACKING_UNTRACKED ? NULL : (const struct nf_conn *)(bits - *info);
}

/* Returns 0 on success. */
static __always_inline long tt_tracked_address(const struct tt_packet *packet, struct tt_ip *address,
					       const union nf_inet_addr *from)
{
	struct tt_ip raw = {};

	if (bpf_probe_read_kernel(&raw, sizeof(raw), from))
		return -1;
	*address = packet->family == 4 ? tt_ip_from_v4((__be32)raw.half[0]) : raw;
	return 0;
}

/* Only of a packet that runs the same way for connection tracking as it does for us. */
static __always_inline bool tt_original_read(const struct tt_packet *packet, const tt_skb *skb, bool is_reply,
					     struct tt_original *original)
{
	const struct nf_conntrack_tuple *tuple;
	const struct nf_conn *connection;
	unsigned long info = 0;

	if (tt_is_test)
		return tt_original_of_test(original);
	connection = tt_tracked(skb, &info);
	if (!connection || (info >= TT_TRACKING_REPLY) != is_reply)
		return false;
	tuple = &connection->tuplehash[0].tuple;
	return !tt_tracked_address(packet, &original->address, &tuple->dst.u3) &&
	       !bpf_core_read(&original->port, sizeof(original->port), &tuple->dst.u.all);
}

/* Gives the packet the destination that its connection had before translation; for a reply, the source. */
static __always_inline void tt_original_restore(struct tt_packet *packet, const tt_skb *skb, bool is_reply)
{
	struct tt_original original;

	if (!tt_original_read(packet, skb, is_reply, &original))
		return;
	if (is_reply)
		packet->source = original.address;
	else
		packet->destination = original.address;
	if (packet->kind != TT_FLOW_PORTS)
		return;
	if (is_reply)
		packet->ports = (packet->ports & 0xffff0000) | original.port;
	else
		packet->ports = (packet->ports & 0xffff) | (__u32)original.port << 16;
}

/* Gives a packet that came in the addresses and ports that it came with. */
static __always_inline void tt_arrival_restore(struct tt_packet *packet, const tt_skb *skb)
{
	const struct nf_conntrack_tuple *came;
	const struct nf_conn *connection;
	struct tt_ip source, destination;
	__be16 from = 0, to = 0;
	unsigned long info = 0;

	if (tt_is_test)
		return tt_original_restore(packet, skb, false);
	connection = tt_tracked(skb, &info);
	if (!connection || info == TT_TRACKING_RELATED || info == TT_TRACKING_RELATED_REPLY)
		return;
	came = &connection->tuplehash[info >= TT_TRACKING_REPLY].tuple;
	if (tt_tracked_address(packet, &source, &came->src.u3) ||
	    tt_tracked_address(packet, &destination, &came->dst.u3) ||
	    bpf_core_read(&from, sizeof(from), &came->src.u.all) || bpf_core_read(&to, sizeof(to), &came->dst.u.all))
		return;
	packet->source = source;
	packet->destination = destination;
	if (packet->kind == TT_FLOW_PORTS)
		packet->ports = from | (__u32)to << 16;
}

#endif
