/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * After the last stage: what is left of a denied segment becomes a RST to its sender, and one to its receiver. Each is a copy
 * that leaves by the interface of its end, or comes in by the workload's as if that had sent it, for the stack to take on.
 */
#ifndef TT_STAGES_RESET_H
#define TT_STAGES_RESET_H

#include <linux/errno.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>

#include "maps/endpoint.h"
#include "maps/heap.h"
#include "maps/packet.h"
#include "abi/event.h"
#include "lib/checksum.h"
#include "lib/packet.h"

enum tt_reset_constants {
	TT_RESET_HOP_LIMIT = 64,
	TT_RESET_DONT_FRAGMENT = 0x4000,
	TT_RESET_CHECK_AT = 16, /* in the TCP header */
};

/* The whole TCP header, in words. */
struct tt_reset_header {
	__u32 ports;
	__be32 sequence;
	__be32 acknowledged;
	__u8 length; /* in words, upper half */
	__u8 flags;
	__be16 window;
	__be16 check;
	__be16 urgent;
};

_Static_assert(sizeof(struct tt_reset_header) == TT_TCP_BYTES, "no options");

/* A number that nobody outside knows: a workload cannot have its own packets taken for ours. */
static __always_inline __u32 tt_reset_mark(const struct tt_state *state)
{
	return (__u32)state->flow_seed | 1;
}

/* Whether the next hook meets what another has sent; the mark is for none but these two. */
static __always_inline bool tt_reset_is_ours(struct __sk_buff *skb)
{
	const struct tt_state *state = tt_state_here();

	if (!state || skb->mark != tt_reset_mark(state))
		return false;
	skb->mark = 0;
	return true;
}

static __always_inline __u32 tt_reset_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (__u32)sum + (__u32)(sum >> 32);
}

/* Sums are the same over both orders of two addresses. */
static __always_inline __u64 tt_reset_pseudo(const struct tt_packet *packet)
{
	const __u64 addresses = packet->family == 4 ?
		(packet->source.half[1] >> 32) + (packet->destination.half[1] >> 32) :
		tt_sum_words(&packet->source, 4) + tt_sum_words(&packet->destination, 4);

	return addresses + bpf_htonl(TT_TCP_BYTES) + bpf_htonl(TT_PROTO_TCP);
}

static __always_inline void tt_reset_write_v4(struct iphdr *ip, const struct tt_ip *source,
					      const struct tt_ip *destination)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tot_len = bpf_htons(sizeof(*ip) + TT_TCP_BYTES);
	ip->frag_off = bpf_htons(TT_RESET_DONT_FRAGMENT);
	ip->ttl = TT_RESET_HOP_LIMIT;
	ip->protocol = TT_PROTO_TCP;
	ip->saddr = source->half[1] >> 32;
	ip->daddr = destination->half[1] >> 32;
	ip->check = tt_sum_fold(tt_sum_words(ip, sizeof(*ip) / 4));
}

static __always_inline void tt_reset_write_v6(struct ipv6hdr *ip, const struct tt_ip *source,
					      const struct tt_ip *destination)
{
	tt_any64 *from = (void *)&ip->saddr, *to = (void *)&ip->daddr;

	*(tt_any32 *)ip = bpf_htonl(6u << 28);
	ip->payload_len = bpf_htons(TT_TCP_BYTES);
	ip->nexthdr = TT_PROTO_TCP;
	ip->hop_limit = TT_RESET_HOP_LIMIT;
	from[0] = source->half[0];
	from[1] = source->half[1];
	to[0] = destination->half[0];
	to[1] = destination->half[1];
}

/*
 * Returns the header's sum. The checksum is left as that of no words at all: which sums belong into it only the helper
 * knows that adds them, by whether the device was to complete it.
 */
static __always_inline __u64 tt_reset_write_tcp(struct tt_reset_header *tcp, __u32 ports, __be32 sequence,
						__be32 acknowledged)
{
	__u64 sum;

	tcp->ports = ports;
	tcp->sequence = sequence;
	tcp->acknowledged = acknowledged;
	tcp->length = (TT_TCP_BYTES / 4) << 4;
	tcp->flags = TT_TCP_RST | (acknowledged ? TT_TCP_ACK : 0);
	tcp->window = 0;
	tcp->check = 0;
	tcp->urgent = 0;
	sum = tt_sum_words(tcp, TT_TCP_BYTES / 4);
	tcp->check = 0xffff;
	return sum;
}

static __always_inline void tt_reset_turn_ethernet(struct ethhdr *ethernet)
{
	__u8 here[ETH_ALEN];

	__builtin_memcpy(here, ethernet->h_dest, ETH_ALEN);
	__builtin_memcpy(ethernet->h_dest, ethernet->h_source, ETH_ALEN);
	__builtin_memcpy(ethernet->h_source, here, ETH_ALEN);
}

/* Called with the family as a constant: the verifier must know where each header is. */
static __always_inline long tt_reset_write(struct __sk_buff *skb, const struct tt_packet *packet, const __u8 family,
					   bool is_back, __be32 sequence, __be32 acknowledged)
{
	const __u32 ip_bytes = family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	const __u32 check_at = ETH_HLEN + ip_bytes + TT_RESET_CHECK_AT;
	const struct tt_ip *source = is_back ? &packet->destination : &packet->source;
	const struct tt_ip *destination = is_back ? &packet->source : &packet->destination;
	const __u32 ports = is_back ? packet->ports << 16 | packet->ports >> 16 : packet->ports;
	void *frame = tt_header(skb, 0, ETH_HLEN + ip_bytes + TT_TCP_BYTES);
	__u64 sum;
	long error;

	if (!frame)
		return -EINVAL;
	if (is_back)
		tt_reset_turn_ethernet(frame);
	if (family == 4)
		tt_reset_write_v4(frame + ETH_HLEN, source, destination);
	else
		tt_reset_write_v6(frame + ETH_HLEN, source, destination);
	sum = tt_reset_write_tcp(frame + ETH_HLEN + ip_bytes, ports, sequence, acknowledged);
	error = bpf_l4_csum_replace(skb, check_at, 0, tt_reset_fold(tt_reset_pseudo(packet)), BPF_F_PSEUDO_HDR);
	return error ? error : bpf_l4_csum_replace(skb, check_at, 0, tt_reset_fold(sum), 0);
}

/* The interface at which the far end's hook is, with its MACs in the frame; 0 = the stack must find the way. */
static __always_inline __u32 tt_reset_far(struct __sk_buff *skb, const struct tt_packet *packet)
{
	struct tt_ip address = packet->hook == TT_HOOK_FROM_WORKLOAD ? packet->destination : packet->source;
	const struct tt_local *local = bpf_map_lookup_elem(&tt_addresses, &address);
	const struct tt_endpoint *endpoint = local ? tt_endpoint_at(local->slot) : NULL;
	const tt_any32 *macs;
	tt_any32 *frame;

	if (!(packet->reset & TT_RESET_LOCAL) || !endpoint || endpoint->id != local->id)
		return 0;
	frame = tt_header(skb, 0, ETH_HLEN);
	if (!frame)
		return 0;
	macs = (const void *)endpoint->mac;
	if (!macs[0]) /* behind a tap whose manifest names no MAC */
		return 0;
	*(tt_any64 *)frame = *(const tt_any64 *)macs;
	frame[2] = macs[2];
	return endpoint->ifindex;
}

/* Takes the turned frame's MACs back, if they have not been written over: the next RST starts from the segment's. */
static __always_inline void tt_reset_turn_back(struct __sk_buff *skb)
{
	void *frame = tt_header(skb, 0, ETH_HLEN);

	if (frame)
		tt_reset_turn_ethernet(frame);
}

/*
 * One RST: back to the segment's sender, or on to its receiver. A global function, verified once for both. No more of
 * the packet in tt_packets is touched by the hook that meets the copy, in the middle of this.
 */
__noinline int tt_reset_send(struct __sk_buff *skb, __u32 is_back, __u32 sequence, __u32 acknowledged)
{
	const struct tt_packet *packet = tt_packet_here();
	const struct tt_state *state = tt_state_here();
	__u32 ifindex, direction = 0;
	long error;

	if (!packet || !state)
		return -EINVAL;
	if (packet->family == 4)
		error = tt_reset_write(skb, packet, 4, is_back, sequence, acknowledged);
	else
		error = tt_reset_write(skb, packet, 6, is_back, sequence, acknowledged);
	if (error)
		return -EINVAL;
	ifindex = packet->ifindex;
	if ((packet->hook == TT_HOOK_FROM_WORKLOAD) != !!is_back) {
		const __u32 far = tt_reset_far(skb, packet);

		ifindex = far ? far : ifindex;
		direction = far ? 0 : BPF_F_INGRESS;
	}
	skb->mark = tt_reset_mark(state);
	if (!bpf_clone_redirect(skb, ifindex, direction))
		tt_count(TT_REASON_RESET_SENT, skb->len - ETH_HLEN);
	if (is_back)
		tt_reset_turn_back(skb);
	return 0;
}

/*
 * The sequence number that each end waits for, if the segment is the next in its connection (RFC 9293, 3.10.7.4): a RST
 * with any other is answered by an ACK (RFC 5961), a segment of a revoked flow too, whose sender gets its RST then.
 */
__noinline int tt_reset(struct __sk_buff *skb)
{
	const struct tt_packet *packet = tt_packet_here();
	const struct tt_reset_header *tcp;
	__be32 sequence, acknowledged;
	__u32 layer4;
	__u8 reset;

	if (!packet)
		return -EINVAL;
	layer4 = ETH_HLEN + (packet->family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));
	reset = packet->reset;
	if (packet->layer4 != layer4 || bpf_skb_change_tail(skb, layer4 + TT_TCP_BYTES, 0))
		return -EINVAL;
	tcp = tt_header(skb, layer4, TT_TCP_BYTES);
	if (!tcp)
		return -EINVAL;
	sequence = tcp->sequence;
	acknowledged = tcp->acknowledged;
	if (packet->hook == TT_HOOK_FROM_WORKLOAD) {
		tt_reset_send(skb, true, acknowledged, 0);
		if (reset & TT_RESET_RECEIVER)
			tt_reset_send(skb, false, sequence, acknowledged);
	} else {
		if (reset & TT_RESET_RECEIVER)
			tt_reset_send(skb, false, sequence, acknowledged);
		tt_reset_send(skb, true, acknowledged, 0);
	}
	return 0;
}

#endif
