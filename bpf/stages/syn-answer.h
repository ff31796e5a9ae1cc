/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Makes of a SYN the answer to it. The one option in it is the segment size: what others would have to be kept in the
 * cookie's time stamp, which only the kernel knows how to read.
 */
#ifndef TT_STAGES_SYN_ANSWER_H
#define TT_STAGES_SYN_ANSWER_H

#include <linux/errno.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>

#include "lib/checksum.h"
#include "lib/packet.h"
#include "lib/tcp-header.h"
#include "stages/parse.h"

enum tt_syn_answer_constants {
	TT_SYN_ANSWER_BYTES = 24,   /* a TCP header with the one option */
	TT_SYN_SEGMENTS = 10,	    /* what a sender begins with (RFC 6928): the window, until the socket says one */
	TT_SYN_SEGMENT_OPTION = 0x02040000,
};

/* The header of the answer. */
struct tt_syn_header {
	struct tt_tcp_header tcp;
	__be32 option;
};

_Static_assert(sizeof(struct tt_syn_header) == TT_SYN_ANSWER_BYTES, "one option");

/* Sums are the same over both orders of two addresses. */
static __always_inline __u64 tt_sum_pseudo(const struct tt_packet *packet, const __u8 family)
{
	const __u64 addresses = family == 4 ?
		(packet->source.half[1] >> 32) + (packet->destination.half[1] >> 32) :
		tt_sum_words(&packet->source, 4) + tt_sum_words(&packet->destination, 4);

	return addresses + bpf_htonl(TT_SYN_ANSWER_BYTES) + bpf_htonl(TT_PROTO_TCP);
}

static __always_inline void tt_syn_write_tcp(struct tt_syn_header *header, const struct tt_packet *packet,
					     const __u8 family, __u32 mtu, __u32 cookie)
{
	struct tt_tcp_header *tcp = &header->tcp;
	const __u32 headers = TT_TCP_BYTES + (family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));
	const __u32 segment = mtu - headers < 0xffff ? mtu - headers : 0xffff;
	const __u32 window = segment * TT_SYN_SEGMENTS < 0xffff ? segment * TT_SYN_SEGMENTS : 0xffff;

	tcp->source = tt_destination_port(packet);
	tcp->destination = tt_source_port(packet);
	tcp->acknowledged = bpf_htonl(bpf_ntohl(tcp->sequence) + 1);
	tcp->sequence = bpf_htonl(cookie);
	tcp->length = (TT_SYN_ANSWER_BYTES / 4) << 4;
	tcp->flags = TT_TCP_SYN | TT_TCP_ACK;
	tcp->window = bpf_htons(window);
	tcp->check = 0;
	tcp->urgent = 0;
	header->option = bpf_htonl(TT_SYN_SEGMENT_OPTION | segment);
	tcp->check = tt_sum_fold(tt_sum_words(header, TT_SYN_ANSWER_BYTES / 4) + tt_sum_pseudo(packet, family));
}

static __always_inline void tt_syn_write_v4(struct iphdr *ip, const struct tt_packet *packet)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tot_len = bpf_htons(sizeof(*ip) + TT_SYN_ANSWER_BYTES);
	ip->frag_off = bpf_htons(TT_SEGMENT_DONT_FRAGMENT);
	ip->ttl = TT_SEGMENT_HOP_LIMIT;
	ip->protocol = TT_PROTO_TCP;
	ip->saddr = packet->destination.half[1] >> 32;
	ip->daddr = packet->source.half[1] >> 32;
	ip->check = tt_sum_fold(tt_sum_words(ip, sizeof(*ip) / 4));
}

static __always_inline void tt_syn_write_v6(struct ipv6hdr *ip, const struct tt_packet *packet)
{
	tt_any64 *source = (void *)&ip->saddr, *destination = (void *)&ip->daddr;

	*(tt_any32 *)ip = bpf_htonl(6u << 28);
	ip->payload_len = bpf_htons(TT_SYN_ANSWER_BYTES);
	ip->nexthdr = TT_PROTO_TCP;
	ip->hop_limit = TT_SEGMENT_HOP_LIMIT;
	source[0] = packet->destination.half[0];
	source[1] = packet->destination.half[1];
	destination[0] = packet->source.half[0];
	destination[1] = packet->source.half[1];
}

static __always_inline void tt_syn_turn_ethernet(struct ethhdr *ethernet)
{
	__u8 here[ETH_ALEN];

	__builtin_memcpy(here, ethernet->h_dest, ETH_ALEN);
	__builtin_memcpy(ethernet->h_dest, ethernet->h_source, ETH_ALEN);
	__builtin_memcpy(ethernet->h_source, here, ETH_ALEN);
}

/*
 * Turns the frame round. Called with the family as a constant: the verifier must know where each header is. 0, or an
 * error if the frame cannot be made as long as the answer: then it is as it was.
 */
static __always_inline long tt_syn_answer_as(struct xdp_md *frame, const struct tt_packet *packet, const __u8 family,
					     __u32 mtu, __u32 cookie)
{
	const __u32 ip_bytes = family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	const int length = ETH_HLEN + ip_bytes + TT_SYN_ANSWER_BYTES;
	void *ethernet;

	if (bpf_xdp_adjust_tail(frame, length - (int)tt_frame_length(frame)))
		return -ENOMEM;
	ethernet = tt_header(frame, 0, ETH_HLEN + ip_bytes + TT_SYN_ANSWER_BYTES);
	if (!ethernet)
		return -EINVAL;
	tt_syn_turn_ethernet(ethernet);
	if (family == 4)
		tt_syn_write_v4(ethernet + ETH_HLEN, packet);
	else
		tt_syn_write_v6(ethernet + ETH_HLEN, packet);
	tt_syn_write_tcp(ethernet + ETH_HLEN + ip_bytes, packet, family, mtu, cookie);
	return 0;
}

static __always_inline long tt_syn_answer(struct xdp_md *frame, const struct tt_packet *packet, __u32 mtu, __u32 cookie)
{
	return packet->family == 4 ? tt_syn_answer_as(frame, packet, 4, mtu, cookie) :
				     tt_syn_answer_as(frame, packet, 6, mtu, cookie);
}

#endif
