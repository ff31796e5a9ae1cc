/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* A RST in the place of the segment that it answers: headers without options, checksums, MACs. */
#ifndef TT_STAGES_RESET_WRITE_H
#define TT_STAGES_RESET_WRITE_H

#include <linux/errno.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>

#include "lib/checksum.h"
#include "lib/packet.h"
#include "lib/tcp-header.h"

_Static_assert(sizeof(struct tt_tcp_header) == TT_TCP_BYTES, "no options");

/* Where the TCP header is, behind an IP header of the least length: no other segment is answered. */
static __always_inline __u32 tt_reset_layer4(const struct tt_packet *packet)
{
	return ETH_HLEN + (packet->family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));
}

static __always_inline __u32 tt_reset_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (__u32)sum + (__u32)(sum >> 32);
}

/*
 * Sums are the same over both orders of two addresses, and what stands before an IPv4 address is nothing to them: all ones
 * are another zero.
 */
static __always_inline __u64 tt_reset_pseudo(const struct tt_packet *packet)
{
	return tt_sum_words(&packet->source, 4) + tt_sum_words(&packet->destination, 4) + bpf_htonl(TT_TCP_BYTES) +
	       bpf_htonl(TT_PROTO_TCP);
}

static __always_inline void tt_reset_write_v4(struct iphdr *ip, const struct tt_ip *source,
					      const struct tt_ip *destination)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tot_len = bpf_htons(sizeof(*ip) + TT_TCP_BYTES);
	ip->frag_off = bpf_htons(TT_SEGMENT_DONT_FRAGMENT);
	ip->ttl = TT_SEGMENT_HOP_LIMIT;
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
	ip->hop_limit = TT_SEGMENT_HOP_LIMIT;
	from[0] = source->half[0];
	from[1] = source->half[1];
	to[0] = destination->half[0];
	to[1] = destination->half[1];
}

/*
 * Returns the header's sum. The checksum is left as that of no words at all: which sums belong into it only the helper
 * knows that adds them, by whether the device was to complete it.
 */
static __always_inline __u64 tt_reset_write_tcp(struct tt_tcp_header *tcp, __u32 ports, __be32 sequence,
						__be32 acknowledged)
{
	__u64 sum;

	*(tt_any32 *)tcp = ports;
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

/* The frame's two MACs change places. They are three words, each with its first byte lowest. */
static __always_inline void tt_reset_turn_ethernet(tt_any32 *frame)
{
	const __u32 first = frame[0], middle = frame[1], last = frame[2];

	frame[0] = middle >> 16 | last << 16;
	frame[1] = last >> 16 | first << 16;
	frame[2] = first >> 16 | middle << 16;
}

static __always_inline long tt_reset_write_ip(struct __sk_buff *skb, const struct tt_packet *packet, bool is_back)
{
	const struct tt_ip *source = is_back ? &packet->destination : &packet->source;
	const struct tt_ip *destination = is_back ? &packet->source : &packet->destination;
	void *frame = tt_header(skb, 0, ETH_HLEN + sizeof(struct iphdr));

	if (!frame)
		return -EINVAL;
	if (is_back)
		tt_reset_turn_ethernet(frame);
	if (packet->family == 4) {
		tt_reset_write_v4(frame + ETH_HLEN, source, destination);
		return 0;
	}
	frame = tt_header(skb, ETH_HLEN, sizeof(struct ipv6hdr));
	if (!frame)
		return -EINVAL;
	tt_reset_write_v6(frame, source, destination);
	return 0;
}

static __always_inline long tt_reset_write(struct __sk_buff *skb, const struct tt_packet *packet, bool is_back,
					   __be32 sequence, __be32 acknowledged)
{
	const __u32 layer4 = tt_reset_layer4(packet);
	const __u32 ports = is_back ? packet->ports << 16 | packet->ports >> 16 : packet->ports;
	struct tt_tcp_header *tcp;
	__u64 sum;

	if (tt_reset_write_ip(skb, packet, is_back))
		return -EINVAL;
	tcp = tt_header(skb, layer4, TT_TCP_BYTES);
	if (!tcp)
		return -EINVAL;
	sum = tt_reset_write_tcp(tcp, ports, sequence, acknowledged);
	if (bpf_l4_csum_replace(skb, layer4 + TT_TCP_CHECK_AT, 0, tt_reset_fold(tt_reset_pseudo(packet)),
				BPF_F_PSEUDO_HDR))
		return -EINVAL;
	return bpf_l4_csum_replace(skb, layer4 + TT_TCP_CHECK_AT, 0, tt_reset_fold(sum), 0);
}

#endif
