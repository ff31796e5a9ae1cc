/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Last stage: one counter for every packet, an event for those worth one. Decides nothing. */
#ifndef TT_STAGES_REPORT_H
#define TT_STAGES_REPORT_H

#include "maps/event.h"
#include "abi/event.h"
#include "abi/heap.h"
#include "lib/packet.h"

/* To a number that is this CPU's own. The host's programs may be interrupted by others in the middle of it. */
static __always_inline void tt_add(__u64 *number, __u64 value)
{
	if (TT_IS_HOST)
		__sync_fetch_and_add(number, value);
	else
		*number += value;
}

static __always_inline void tt_count(__u32 reason, __u32 bytes)
{
	struct tt_counter *counter = bpf_map_lookup_elem(&tt_counters, &reason);

	if (!counter)
		return;
	tt_add(&counter->packets, 1);
	tt_add(&counter->bytes, bytes);
}

/* Whether this CPU may send one more rate-limited event in this second. */
static __always_inline bool tt_budget_allows(const struct tt_packet *packet)
{
	const __u32 only = 0;
	struct tt_budget *budget = bpf_map_lookup_elem(&tt_budgets, &only);
	const struct tt_state *state = tt_state_here();

	if (!state || !state->event_budget || !budget)
		return true;
	if (packet->jiffies - budget->since_jiffies >= state->hz) {
		budget->since_jiffies = packet->jiffies;
		budget->spent = 0;
	}
	return budget->spent++ < state->event_budget;
}

/* Ports of the wire, or the identifier of an echo; other ICMP has neither. */
static __always_inline void tt_event_fill(struct tt_event *event, const struct tt_packet *packet, __u8 kind)
{
	event->jiffies = packet->jiffies;
	event->kind = kind;
	event->reason = packet->reason;
	event->hook = packet->hook;
	event->protocol = packet->protocol;
	event->ifindex = packet->ifindex;
	__builtin_memcpy(&event->source, &packet->source, sizeof(event->source));
	__builtin_memcpy(&event->destination, &packet->destination, sizeof(event->destination));
	event->source_port = tt_source_port(packet);
	event->destination_port = tt_destination_port(packet);
	event->icmp_type = packet->icmp_type;
	event->icmp_code = packet->icmp_code;
	event->tcp_flags = packet->tcp_flags;
	event->family = packet->family;
	event->egress_word = packet->egress_word;
	event->ingress_word = packet->ingress_word;
	event->generation = packet->generation;
	event->length = packet->length;
	event->out_ifindex = packet->out_ifindex;
	event->egress_scope = packet->egress_scope;
	event->ingress_scope = packet->ingress_scope;
	event->is_reply = packet->is_reply;
	__builtin_memset(event->_pad, 0, sizeof(event->_pad));
}

/* Wakes nobody: user space looks at the ring every few milliseconds. A wake-up costs more than all the rest. */
static __always_inline void tt_event_send(const struct tt_packet *packet, __u8 kind)
{
	struct tt_event *event = bpf_ringbuf_reserve(&tt_events, sizeof(*event), 0);

	if (!event) {
		tt_count(TT_REASON_EVENT_LOST, packet->length);
		return;
	}
	tt_event_fill(event, packet, kind);
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

static __always_inline void tt_event_send_limited(const struct tt_packet *packet, __u8 kind)
{
	if (tt_budget_allows(packet))
		tt_event_send(packet, kind);
	else
		tt_count(TT_REASON_EVENT_SUPPRESSED, packet->length);
}

/* 0: a packet of no interest beyond its counter. */
static __always_inline __u8 tt_event_kind(__u8 reason)
{
	if (reason == TT_REASON_ALLOWED_NEW || reason == TT_REASON_ALLOWED_HOST)
		return TT_EVENT_NEW_FLOW;
	if (reason < TT_REASON_DROP_EGRESS_POLICY || reason == TT_REASON_ALLOWED_UNTRACKED ||
	    reason == TT_REASON_ALLOWED_UNPOLICED)
		return 0;
	if (reason == TT_REASON_DROP_REVOKED)
		return TT_EVENT_FLOW_REVOKED;
	if (reason >= TT_REASON_DROP_UNTRACKED && reason <= TT_REASON_DROP_HOST_EGRESS)
		return TT_EVENT_DENIED;
	return reason < TT_REASON_DROP_REVOKED ? TT_EVENT_DENIED : TT_EVENT_DROPPED;
}

/* New and revoked flows are told without limit: flow logs are complete unless the ring overflows. */
static __always_inline void tt_report(const struct tt_packet *packet)
{
	const __u8 kind = tt_event_kind(packet->reason);

	tt_count(packet->reason, packet->length);
	if (kind == TT_EVENT_DENIED || kind == TT_EVENT_DROPPED)
		tt_event_send_limited(packet, kind);
	else if (kind)
		tt_event_send(packet, kind);
	if ((kind == TT_EVENT_NEW_FLOW || packet->reason == TT_REASON_ALLOWED_UNTRACKED) && ((packet->egress_word | packet->ingress_word) & TT_WORD_LOG))
		tt_event_send_limited(packet, TT_EVENT_LOG);
}

#endif
