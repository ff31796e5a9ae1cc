/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What a packet does to its connection: state, counters, age. No maps, no policy. */
#ifndef TT_STAGES_TRACK_H
#define TT_STAGES_TRACK_H

#include "abi/flow.h"
#include "abi/heap.h"
#include "lib/packet.h"

enum tt_timeout_seconds {
	TT_TIMEOUT_TCP_OPENING = 60,
	TT_TIMEOUT_TCP_ESTABLISHED = 3600,
	TT_TIMEOUT_TCP_CLOSING = 60,
	TT_TIMEOUT_UDP_ONE_WAY = 60,
	TT_TIMEOUT_UDP_REPLIED = 180,
	TT_TIMEOUT_ICMP = 10,
	TT_TIMEOUT_OTHER = 600,
};

static __always_inline __u32 tt_timeout_seconds(__u8 protocol, __u8 state)
{
	switch (protocol) {
	case TT_PROTO_TCP:
		if (state == TT_FLOW_ESTABLISHED)
			return TT_TIMEOUT_TCP_ESTABLISHED;
		return state < TT_FLOW_ESTABLISHED ? TT_TIMEOUT_TCP_OPENING : TT_TIMEOUT_TCP_CLOSING;
	case TT_PROTO_UDP:
	case TT_PROTO_UDPLITE:
		return state == TT_FLOW_NEW ? TT_TIMEOUT_UDP_ONE_WAY : TT_TIMEOUT_UDP_REPLIED;
	case TT_PROTO_ICMP:
	case TT_PROTO_ICMPV6:
		return TT_TIMEOUT_ICMP;
	default:
		return TT_TIMEOUT_OTHER;
	}
}

/*
 * seen_jiffies lags behind by the second for which the flow cache may answer alone. It may also be ahead of this
 * packet's clock, which was read before another CPU's.
 */
static __always_inline bool tt_is_expired(const struct tt_context *context, __u64 now, __u8 protocol,
					  const struct tt_flow *flow)
{
	const __u64 limit = (__u64)context->state->hz * tt_timeout_seconds(protocol, flow->state);

	return (__s64)(now - flow->seen_jiffies) > (__s64)limit;
}

static __always_inline __u8 tt_next_tcp_state(struct tt_flow *flow, __u8 tcp_flags, bool is_reply)
{
	const __u8 both = TT_FLOW_FIN_INITIATOR | TT_FLOW_FIN_RESPONDER;

	if ((tcp_flags & TT_TCP_RST) || flow->state == TT_FLOW_CLOSED)
		return TT_FLOW_CLOSED;
	if (tcp_flags & TT_TCP_FIN)
		flow->flags |= is_reply ? TT_FLOW_FIN_RESPONDER : TT_FLOW_FIN_INITIATOR;
	if (flow->flags & both)
		return (flow->flags & both) == both ? TT_FLOW_CLOSED : TT_FLOW_CLOSING;
	return flow->state;
}

/*
 * Stores of state and flags are not atomic: two CPUs that see both ends' packets at once may lose one step, which
 * costs the flow a shorter or longer timeout, never a verdict.
 */
static __always_inline void tt_track_state(const struct tt_packet *packet, struct tt_flow *flow, bool is_reply)
{
	__u8 state = flow->state;

	if (packet->protocol == TT_PROTO_TCP)
		state = tt_next_tcp_state(flow, packet->tcp_flags, is_reply);
	if (state == TT_FLOW_NEW && is_reply)
		state = TT_FLOW_REPLIED;
	else if (state == TT_FLOW_REPLIED && !is_reply)
		state = TT_FLOW_ESTABLISHED;
	if (state == flow->state)
		return;
	flow->state = state;
	flow->tcp_flags |= packet->tcp_flags;
}

/*
 * A packet between two local workloads that takes the stack passes two hooks. It counts at its sender's: there, or
 * here if the sender's policy was judged nowhere on this host.
 */
static __always_inline bool tt_is_counted_here(const struct tt_packet *packet, const struct tt_flow *flow,
					       bool is_reply)
{
	if (packet->hook == TT_HOOK_FROM_WORKLOAD)
		return true;
	return is_reply ? !flow->ingress_word : !flow->egress_word;
}

static __always_inline void tt_track_count(struct tt_flow *flow, __u64 packets, __u64 bytes, bool is_reply)
{
	/* A constant index each: the atomic add then needs no bounds proof. */
	if (is_reply) {
		__sync_fetch_and_add(&flow->packets[1], packets);
		__sync_fetch_and_add(&flow->bytes[1], bytes);
	} else {
		__sync_fetch_and_add(&flow->packets[0], packets);
		__sync_fetch_and_add(&flow->bytes[0], bytes);
	}
}

#endif
