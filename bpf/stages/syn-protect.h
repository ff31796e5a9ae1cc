/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Care for new TCP connections to sockets of this host. One source gets no more than its share; what is more than a
 * listening socket is to see is answered with a SYN cookie of the kernel's, which takes the acknowledgement for its own.
 */
#ifndef TT_STAGES_SYN_PROTECT_H
#define TT_STAGES_SYN_PROTECT_H

#include <linux/errno.h>
#include <linux/tcp.h>

#include "maps/syn.h"
#include "stages/guard-count.h"
#include "stages/syn-answer.h"

/* The helpers for it are there (Linux 5.18): without them connections are counted by source only. */
const volatile __u32 tt_syn_has_cookies = 0;

enum tt_syn_constants {
	TT_SYN_SECOND_SHIFT = 30, /* of nanoseconds: a second is 1.07 s here */
	TT_SYN_LISTEN = 10,	  /* BPF_TCP_LISTEN */
	TT_SYN_AF_INET = 2,
	TT_SYN_AF_INET6 = 10,
	TT_SYN_OPTIONS = 40, /* bytes, at most */
};

static __always_inline bool tt_is_opening(const struct tt_packet *packet)
{
	return packet->protocol == TT_PROTO_TCP &&
	       (packet->tcp_flags & (TT_TCP_SYN | TT_TCP_ACK | TT_TCP_RST | TT_TCP_FIN)) == TT_TCP_SYN;
}

/*
 * One more in this second. Returns how many there are, those of other CPUs at this moment included. Two CPUs at the turn
 * of a second may lose some. Added and then read: an addition that returns what was there is refused before Linux 5.12,
 * even where it is never reached.
 */
static __always_inline __u32 tt_syn_count(__u64 *counter, __u32 second)
{
	if (*(volatile __u64 *)counter >> 32 == second)
		__sync_fetch_and_add(counter, 1);
	else
		*(volatile __u64 *)counter = (__u64)second << 32 | 1;
	return *(volatile __u64 *)counter;
}

/* Of IPv6, a /64 is one source: who has an address there has all of them. */
static __always_inline __u32 tt_syn_source_slot(const struct tt_guard_state *state, const struct tt_packet *packet)
{
	const struct tt_ip *ip = &packet->source;
	__u64 name = tt_ip_is_mapped(ip) ? ip->half[1] : ip->half[0];

	name = (name ^ ((__u64)state->seed[0] << 32 | state->seed[1])) * 0x9e3779b97f4a7c15ULL;
	name = (name ^ name >> 32 ^ state->seed[0]) * 0xd6e8feb86659fd93ULL;
	return (name ^ name >> 32) & (TT_GUARD_SOURCES - 1);
}

static __always_inline bool tt_syn_is_greedy(const struct tt_guard_state *state, const struct tt_packet *packet,
					     __u32 second)
{
	const __u32 slot = tt_syn_source_slot(state, packet);
	__u64 *counter;

	if (!state->syn_source)
		return false;
	counter = bpf_map_lookup_elem(&tt_syn_sources, &slot);
	return counter && tt_syn_count(counter, second) > state->syn_source;
}

static __always_inline bool tt_syn_is_protected(__u16 port)
{
	const __u32 word = port >> 6;
	const __u64 *ports = bpf_map_lookup_elem(&tt_syn_ports, &word);

	return ports && (*ports >> (port & 63) & 1);
}

/* Whether the listening socket has had as many in this second as the stack is to see. */
static __always_inline bool tt_syn_is_flooded(const struct tt_guard_state *state, const struct bpf_sock *socket,
					      __u16 port, __u32 second)
{
	struct tt_syn_listener listener = { .bound_ifindex = socket->bound_dev_if, .port = port };
	const __u64 first = (__u64)second << 32 | 1;
	__u64 *counter;

	listener.family = socket->family;
	if (socket->family == TT_SYN_AF_INET) {
		listener.address[0] = socket->src_ip4;
	} else {
		listener.address[0] = socket->src_ip6[0];
		listener.address[1] = socket->src_ip6[1];
		listener.address[2] = socket->src_ip6[2];
		listener.address[3] = socket->src_ip6[3];
	}
	counter = bpf_map_lookup_elem(&tt_syn_listeners, &listener);
	if (counter)
		return tt_syn_count(counter, second) > state->syn_listener;
	bpf_map_update_elem(&tt_syn_listeners, &listener, &first, BPF_ANY);
	return !state->syn_listener;
}

/*
 * Whether the host takes the packet itself: a socket that listens at any address says nothing of that. Where the
 * interface forwards nothing, what is not the host's goes nowhere.
 */
static __always_inline bool tt_syn_is_local(struct xdp_md *frame, const struct tt_packet *packet)
{
	struct bpf_fib_lookup where = {
		.ifindex = frame->ingress_ifindex,
		.l4_protocol = TT_PROTO_TCP,
		.sport = tt_source_port(packet),
		.dport = tt_destination_port(packet),
		.tot_len = packet->length,
	};
	long result;

	if (packet->family == 4) {
		where.family = TT_SYN_AF_INET;
		where.ipv4_src = packet->source.half[1] >> 32;
		where.ipv4_dst = packet->destination.half[1] >> 32;
	} else {
		where.family = TT_SYN_AF_INET6;
		*(tt_any64 *)&where.ipv6_src[0] = packet->source.half[0];
		*(tt_any64 *)&where.ipv6_src[2] = packet->source.half[1];
		*(tt_any64 *)&where.ipv6_dst[0] = packet->destination.half[0];
		*(tt_any64 *)&where.ipv6_dst[2] = packet->destination.half[1];
	}
	result = bpf_fib_lookup(frame, &where, sizeof(where), 0);
	return result == BPF_FIB_LKUP_RET_NOT_FWDED || result == BPF_FIB_LKUP_RET_FWD_DISABLED;
}

/* The socket that the segment is for, as the stack would find it: a known connection, or who listens. To be released. */
static __always_inline struct bpf_sock *tt_syn_socket(struct xdp_md *frame, const struct tt_packet *packet)
{
	struct bpf_sock_tuple tuple = {};

	if (packet->family == 4) {
		tuple.ipv4.saddr = packet->source.half[1] >> 32;
		tuple.ipv4.daddr = packet->destination.half[1] >> 32;
		tuple.ipv4.sport = tt_source_port(packet);
		tuple.ipv4.dport = tt_destination_port(packet);
		return bpf_skc_lookup_tcp(frame, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	}
	*(tt_any64 *)&tuple.ipv6.saddr[0] = packet->source.half[0];
	*(tt_any64 *)&tuple.ipv6.saddr[2] = packet->source.half[1];
	*(tt_any64 *)&tuple.ipv6.daddr[0] = packet->destination.half[0];
	*(tt_any64 *)&tuple.ipv6.daddr[2] = packet->destination.half[1];
	tuple.ipv6.sport = tt_source_port(packet);
	tuple.ipv6.dport = tt_destination_port(packet);
	return bpf_skc_lookup_tcp(frame, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
}

/*
 * A cookie of the kernel's for the SYN, or a negative number: where it would answer with none itself, because nobody is
 * short of room (net.ipv4.tcp_syncookies = 1) or none are wanted (0). Marks the socket as flooded: only then does the
 * kernel believe cookies that come back.
 */
static __always_inline __s64 tt_syn_cookie(struct xdp_md *frame, const struct tt_packet *packet,
					   struct bpf_sock *socket)
{
	__u8 header[TT_TCP_BYTES + TT_SYN_OPTIONS] __attribute__((aligned(8)));
	__u8 ip[sizeof(struct ipv6hdr)] __attribute__((aligned(8)));
	const __u32 ip_bytes = packet->family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	__u32 bytes;

	if (bpf_xdp_load_bytes(frame, ETH_HLEN + ip_bytes, header, TT_TCP_BYTES))
		return -EINVAL;
	bytes = (header[12] >> 4) * 4;
	/* The verifier is to see the bounds of this very number. */
	asm volatile("" : "+r"(bytes));
	if (bytes < TT_TCP_BYTES || bytes > sizeof(header))
		return -EINVAL;
	if (bpf_xdp_load_bytes(frame, ETH_HLEN + ip_bytes, header, bytes))
		return -EINVAL;
	if (packet->family == 4) {
		if (bpf_xdp_load_bytes(frame, ETH_HLEN, ip, sizeof(struct iphdr)))
			return -EINVAL;
		return bpf_tcp_gen_syncookie(socket, ip, sizeof(struct iphdr), (void *)header, bytes);
	}
	if (bpf_xdp_load_bytes(frame, ETH_HLEN, ip, sizeof(struct ipv6hdr)))
		return -EINVAL;
	return bpf_tcp_gen_syncookie(socket, ip, sizeof(struct ipv6hdr), (void *)header, bytes);
}

enum tt_syn_answers {
	TT_SYN_GREEDY = -4096, /* beyond all error numbers */
};

/* The cookie that answers a SYN for that socket; negative: it goes on to the stack, or (TT_SYN_GREEDY) nowhere. */
static __always_inline __s64 tt_syn_ask(struct xdp_md *frame, const struct tt_guard_state *state,
					const struct tt_packet *packet, struct bpf_sock *socket)
{
	const __u16 port = bpf_ntohs(tt_destination_port(packet));
	const __u32 second = bpf_ktime_get_ns() >> TT_SYN_SECOND_SHIFT;

	if (socket->state != TT_SYN_LISTEN || !tt_syn_is_local(frame, packet))
		return -ENOENT;
	if (tt_syn_is_greedy(state, packet, second))
		return TT_SYN_GREEDY;
	if (!tt_syn_has_cookies || !tt_syn_is_flooded(state, socket, port, second))
		return -ENOENT;
	return tt_syn_cookie(frame, packet, socket);
}

/* A SYN. Returns the XDP action. */
static __always_inline int tt_syn_protect(struct xdp_md *frame, const struct tt_guard_state *state,
					  const struct tt_guard_interface *interface, struct tt_packet *packet)
{
	const __u32 bytes = packet->length + ETH_HLEN;
	struct bpf_sock *socket;
	__s64 said;

	if (!tt_syn_is_protected(bpf_ntohs(tt_destination_port(packet))))
		return XDP_PASS;
	socket = tt_syn_socket(frame, packet);
	if (!socket)
		return XDP_PASS;
	said = tt_syn_ask(frame, state, packet, socket);
	bpf_sk_release(socket);
	if (said == TT_SYN_GREEDY)
		return tt_guard_drop(TT_GUARD_DROP_SYN_SOURCE, bytes);
	if (said < 0 || tt_syn_answer(frame, packet, interface->mtu, said))
		return XDP_PASS;
	tt_guard_count(TT_GUARD_SYN_COOKIE, bytes);
	return XDP_TX;
}

#endif
