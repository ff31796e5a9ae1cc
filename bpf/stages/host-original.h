/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What a connection was sent to before the host translated it, as connection tracking knows; nothing else is asked there. */
#ifndef TT_STAGES_HOST_ORIGINAL_H
#define TT_STAGES_HOST_ORIGINAL_H

#include "lib/packet.h"

enum tt_tracking_bits {
	TT_TRACKING_INFO = 7,	   /* of sk_buff._nfct: enum ip_conntrack_info */
	TT_TRACKING_REPLY = 3,	   /* from here on, except for the next */
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

/* Only of a packet that runs the same way for connection tracking as it does for us. */
static __always_inline bool tt_original_read(const struct tt_packet *packet, const tt_skb *skb, bool is_reply,
					     struct tt_original *original)
{
	const struct sk_buff *tracked = skb->skb;
	const struct nf_conntrack_tuple *tuple;
	const struct nf_conn *connection;
	union nf_inet_addr address = {};
	unsigned long bits, info;

	if (tt_is_test)
		return tt_original_of_test(original);
	if (!bpf_core_field_exists(tracked->_nfct) || !bpf_core_type_exists(struct nf_conn))
		return false;
	bits = tracked->_nfct;
	info = bits & TT_TRACKING_INFO;
	connection = (const struct nf_conn *)(bits - info);
	if (!connection || info == TT_TRACKING_UNTRACKED || (info >= TT_TRACKING_REPLY) != is_reply)
		return false;
	tuple = &connection->tuplehash[0].tuple;
	if (bpf_core_read(&address, sizeof(address), &tuple->dst.u3) ||
	    bpf_core_read(&original->port, sizeof(original->port), &tuple->dst.u.all))
		return false;
	original->address = packet->family == 4 ? tt_ip_from_v4(address.all[0]) : tt_ip_load(&address);
	return true;
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

#endif
