/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Flow logs: no counts go unsaid when a flow leaves the table, or a slot of the flow cache outlives its flow. Decides nothing. */
#ifndef TT_STAGES_FLOW_TOLD_H
#define TT_STAGES_FLOW_TOLD_H

#include <stdbool.h>

#include "maps/event.h"
#include "maps/flow.h"
#include "maps/packet.h"
#include "abi/event.h"
#include "abi/heap.h"
#include "lib/packet.h"
#include "lib/told.h"

static __always_inline bool tt_is_flow_logged(const struct tt_state *state)
{
	return *(const volatile __u32 *)&state->flags & TT_STATE_FLOW_LOGS;
}

/* Nothing is noted: what an earlier packet left is not this one's. */
static __always_inline void tt_told_begin(struct tt_packet *packet)
{
	struct tt_flow_event *gone = tt_place_of(packet)->gone;

	gone[0].kind = 0;
	gone[1].kind = 0;
}

/* Asked of the notes, not of whether flows are logged: user space may change its mind in between. */
static __always_inline bool tt_told_is_noted(struct tt_packet *packet)
{
	const struct tt_flow_event *gone = tt_place_of(packet)->gone;

	return gone[0].kind | gone[1].kind;
}

/* Nobody is told of these any more; some may have been told before. */
static __always_inline void tt_told_lose(__u64 packets, __u64 bytes)
{
	const __u32 reason = TT_REASON_FLOW_COUNTS_LOST;
	struct tt_counter *counter = bpf_map_lookup_elem(&tt_counters, &reason);

	if (!counter)
		return;
	tt_add(&counter->packets, packets);
	tt_add(&counter->bytes, bytes);
}

/*
 * Copies a flow that is about to lose its place, unless all of it has been told. Under the region's lock: what the packet of
 * another CPU adds after this goes with the flow, as it always did. That there is something to send is noted in the event
 * alone: the verifier follows nothing for it.
 */
static __always_inline void tt_told_note(struct tt_flow_event *event, __u32 region, const struct tt_flow_entry *entry,
					 __u32 number)
{
	if (!entry->named_by || entry->flow.told == tt_told_fingerprint(&entry->flow))
		return;
	event->kind = TT_EVENT_FLOW_ENDED;
	event->place = region * TT_FLOW_REGION_ENTRIES + number;
	event->key = entry->key;
	event->flow = entry->flow;
}

/* Sends what was noted for a packet. A global function: verified once. */
__noinline int tt_told_send(__u32 place)
{
	struct tt_packet *packet = tt_packet_at(place);

	if (!packet)
		return 0;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < 2; i++) {
		struct tt_flow_event *event = &tt_place_of(packet)->gone[i];

		if (event->kind != TT_EVENT_FLOW_ENDED)
			continue;
		event->jiffies = packet->jiffies;
		if (bpf_ringbuf_output(&tt_events, event, sizeof(*event), BPF_RB_NO_WAKEUP))
			tt_told_lose(event->flow.packets[0] + event->flow.packets[1],
				     event->flow.bytes[0] + event->flow.bytes[1]);
	}
	return 0;
}

/* Sends counts of a slot whose flow is gone. */
static __always_inline void tt_told_send_counts(const struct tt_cached_flow *slot, const struct tt_flow_key *key,
						bool is_high)
{
	struct tt_flow_event *event = bpf_ringbuf_reserve(&tt_events, sizeof(*event), 0);
	const bool is_reply = slot->reply;

	if (!event) {
		tt_told_lose(slot->packets, slot->bytes);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->jiffies = bpf_jiffies64();
	event->kind = TT_EVENT_FLOW_COUNTS;
	event->key = *key;
	event->flow.flags = is_high != is_reply ? TT_FLOW_FROM_HIGH : 0;
	event->flow.egress_word = slot->egress_word;
	event->flow.ingress_word = slot->ingress_word;
	event->flow.created_jiffies = slot->synced_jiffies;
	event->flow.seen_jiffies = slot->synced_jiffies;
	event->flow.packets[0] = is_reply ? 0 : slot->packets;
	event->flow.packets[1] = is_reply ? slot->packets : 0;
	event->flow.bytes[0] = is_reply ? 0 : slot->bytes;
	event->flow.bytes[1] = is_reply ? slot->bytes : 0;
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

#endif
