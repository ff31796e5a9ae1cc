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
#include "lib/packet.h"
#include "stages/reset-write.h"

/* Whether the frame is what tt_reset_send makes, and nothing that somebody has more use for. */
static __always_inline bool tt_reset_is_bare(struct __sk_buff *skb)
{
	const bool is_v4 = skb->len == ETH_HLEN + sizeof(struct iphdr) + TT_TCP_BYTES;
	const __u32 layer4 = ETH_HLEN + (is_v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));
	const __u32 protocol_at = ETH_HLEN + (is_v4 ? offsetof(struct iphdr, protocol) : offsetof(struct ipv6hdr, nexthdr));
	__u8 version, protocol, flags;

	if (skb->len != layer4 + TT_TCP_BYTES || bpf_skb_load_bytes(skb, ETH_HLEN, &version, sizeof(version)) ||
	    bpf_skb_load_bytes(skb, protocol_at, &protocol, sizeof(protocol)) ||
	    bpf_skb_load_bytes(skb, layer4 + offsetof(struct tt_tcp_header, flags), &flags, sizeof(flags)))
		return false;
	return (is_v4 ? version == 0x45 : version >> 4 == 6) && protocol == TT_PROTO_TCP &&
	       (flags | TT_TCP_ACK) == (TT_TCP_RST | TT_TCP_ACK);
}

/*
 * Whether the next hook meets what another has sent: the mark is for none but these two, and a bare RST is all that it lets
 * past. A global function: inlined it takes registers from all that comes after.
 */
__noinline int tt_reset_is_ours(struct __sk_buff *skb)
{
	const struct tt_state *state = tt_state_here();

	if (!state || !(state->flags & TT_STATE_RESET_REVOKED) || !skb->mark || skb->mark != state->reset_mark ||
	    !tt_reset_is_bare(skb))
		return false;
	skb->mark = 0;
	return true;
}

/* The interface at which the far end's hook is, with its MACs in the frame; 0 = the stack must find the way. */
static __always_inline __u32 tt_reset_far(struct __sk_buff *skb, const struct tt_packet *packet)
{
	struct tt_ip address = packet->hook == TT_HOOK_FROM_WORKLOAD ? packet->destination : packet->source;
	const struct tt_local *local = bpf_map_lookup_elem(&tt_addresses, &address);
	const struct tt_endpoint *endpoint = local ? tt_endpoint_at(local->slot) : NULL;
	const tt_any32 *macs;
	tt_any32 *frame;

	if (packet->revoked != TT_REVOKED_LOCAL || !endpoint || endpoint->id != local->id)
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
	tt_any32 *frame = tt_header(skb, 0, ETH_HLEN);

	if (frame)
		tt_reset_turn_ethernet(frame);
}

static __always_inline void tt_reset_give_up(struct __sk_buff *skb)
{
	tt_count(TT_REASON_RESET_LOST, skb->len - ETH_HLEN);
}

/*
 * One RST: back to the segment's sender, or on to its receiver. A global function, verified once for all. No more of
 * the packet in tt_packets is touched by the hook that meets the copy, in the middle of this.
 */
__noinline int tt_reset_send(struct __sk_buff *skb, __u32 is_back, __u32 sequence, __u32 acknowledged)
{
	const struct tt_packet *packet = tt_packet_here();
	const struct tt_state *state = tt_state_here();
	__u32 ifindex, direction = 0;

	if (!packet || !state)
		return -EINVAL;
	if (tt_reset_write(skb, packet, is_back, sequence, acknowledged)) {
		tt_reset_give_up(skb);
		return -EINVAL;
	}
	ifindex = packet->ifindex;
	if ((packet->hook == TT_HOOK_FROM_WORKLOAD) != !!is_back) {
		const __u32 far = tt_reset_far(skb, packet);

		ifindex = far ? far : ifindex;
		direction = far ? 0 : BPF_F_INGRESS;
	}
	skb->mark = state->reset_mark;
	if (bpf_clone_redirect(skb, ifindex, direction))
		tt_reset_give_up(skb);
	else
		tt_count(TT_REASON_RESET_SENT, skb->len - ETH_HLEN);
	if (is_back)
		tt_reset_turn_back(skb);
	return 0;
}

/* How the sequence number goes on behind the segment. A train of segments counts as one. */
static __always_inline __u32 tt_reset_span(const struct tt_packet *packet, const struct tt_tcp_header *tcp)
{
	const __u32 data = packet->layer4 + (tcp->length >> 4) * 4;
	const __u32 ends = packet->tcp_flags & (TT_TCP_SYN | TT_TCP_FIN) ? 1 : 0;
	const __u32 span = (packet->end > data ? packet->end - data : 0) + ends;

	return span ? span : 1; /* a keepalive is what was had before (RFC 9293, 3.8.4) */
}

/*
 * The receiver waits for the segment's own sequence number, or has had the segment, as with a keepalive or where its answer was
 * lost: then it waits for what follows, and takes no notice of a RST before that. The one that it does not wait for is nothing to it.
 * A RST by the segment's own host, which policy denies like all else, is handed on as it is.
 */
static __always_inline void tt_reset_tell_receiver(struct __sk_buff *skb, __u8 flags, __be32 sequence, __be32 acknowledged,
						   __u32 span)
{
	tt_reset_send(skb, false, sequence, flags & TT_TCP_ACK ? acknowledged : 0);
	if (!(flags & TT_TCP_RST))
		tt_reset_send(skb, false, bpf_htonl(bpf_ntohl(sequence) + span), acknowledged);
}

/* Whether the segment is one to tell its sender about: not a RST, and without an ACK there is no number that it waits for. */
static __always_inline bool tt_reset_has_sender(__u8 flags)
{
	return (flags & (TT_TCP_RST | TT_TCP_ACK)) == TT_TCP_ACK;
}

static __always_inline bool tt_reset_is_due(const struct tt_state *state, const struct tt_packet *packet)
{
	const bool is_last_word = (packet->tcp_flags & TT_TCP_RST) && packet->reason == TT_REASON_DROP_REVOKED;

	return (state->flags & TT_STATE_RESET_REVOKED) && packet->protocol == TT_PROTO_TCP && !packet->fragment &&
	       (tt_reset_has_sender(packet->tcp_flags) || is_last_word) && packet->layer4 == tt_reset_layer4(packet);
}

/*
 * The sender is told each time, and so learns nothing that it did not know; the receiver when the flow is revoked, since what its
 * RSTs say the sender has chosen. Each by the sequence number that it waits for (RFC 9293, 3.10.7.4): a RST beyond that is
 * answered by an ACK (RFC 5961), a segment of a revoked flow too, whose sender is told.
 */
__noinline int tt_reset(struct __sk_buff *skb)
{
	const struct tt_packet *packet = tt_packet_here();
	const struct tt_state *state = tt_state_here();
	const struct tt_tcp_header *tcp;
	__be32 sequence, acknowledged;
	bool is_news, is_from, has_sender;
	__u32 span;
	__u8 flags;

	if (!packet || !state || !tt_reset_is_due(state, packet))
		return -EINVAL;
	tcp = tt_header(skb, tt_reset_layer4(packet), TT_TCP_BYTES);
	if (!tcp)
		return -EINVAL;
	sequence = tcp->sequence;
	acknowledged = tcp->acknowledged;
	span = tt_reset_span(packet, tcp);
	flags = packet->tcp_flags;
	if (bpf_skb_change_tail(skb, tt_reset_layer4(packet) + TT_TCP_BYTES, 0)) {
		tt_reset_give_up(skb);
		return -EINVAL;
	}
	is_news = packet->reason == TT_REASON_DROP_REVOKED;
	is_from = packet->hook == TT_HOOK_FROM_WORKLOAD;
	has_sender = tt_reset_has_sender(flags);
	/* The far end last: its MACs may stay in the frame. */
	if (has_sender && is_from)
		tt_reset_send(skb, true, acknowledged, 0);
	if (is_news)
		tt_reset_tell_receiver(skb, flags, sequence, acknowledged, span);
	if (has_sender && !is_from)
		tt_reset_send(skb, true, acknowledged, 0);
	return 0;
}

#endif
