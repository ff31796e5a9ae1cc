/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Packets with their bytes, for those that somebody asks for. Nothing of it is on the way of other packets: packets of endpoints
 * whose allowed packets are wanted are in no flow cache, so the fast path never meets them. Decides nothing.
 */
#ifndef TT_STAGES_CAPTURE_H
#define TT_STAGES_CAPTURE_H

#include <linux/if_ether.h>

#include "maps/capture.h"
#include "maps/heap.h"
#include "abi/capture.h"
#include "abi/event.h"
#include "lib/packet.h"

_Static_assert(TT_CAPTURE_BOTH == (TT_CAPTURE_ALLOWED | TT_CAPTURE_DENIED), "one mask for both verdicts");
_Static_assert(TT_CAPTURE_ALLOWED_ANYWHERE == (TT_CAPTURE_ALLOWED | TT_CAPTURE_ALLOWED << TT_CAPTURE_PEER_SHIFT) &&
		       TT_CAPTURE_DENIED_ANYWHERE == (TT_CAPTURE_DENIED | TT_CAPTURE_DENIED << TT_CAPTURE_PEER_SHIFT),
	       "one mask for both ends");

struct tt_capturing {
	struct tt_capture_counts *counts;
	__u32 bytes; /* to take of the packet */
};

/* Whether this CPU may capture one more packet in this second. */
static __always_inline bool tt_capture_begin(struct tt_capturing *run, const struct tt_packet *packet)
{
	const __u32 only = 0;
	const struct tt_capture_settings *settings = bpf_map_lookup_elem(&tt_capture_set, &only);
	struct tt_capture_counts *counts = bpf_map_lookup_elem(&tt_capture_cpus, &only);
	const struct tt_state *state = tt_state_here();

	if (!state || !settings || !counts || !settings->bytes)
		return false;
	run->counts = counts;
	run->bytes = settings->bytes;
	if (packet->jiffies - counts->since_jiffies >= state->hz) {
		counts->since_jiffies = packet->jiffies;
		counts->spent = 0;
	}
	if (counts->spent++ < settings->budget)
		return true;
	tt_add(&counts->suppressed, 1);
	return false;
}

/*
 * A record with room for that many bytes, a constant, filled and sent. How many there are is bounded where they are copied, by one
 * comparison that excludes zero too: Linux 5.10 would not follow two.
 */
static __always_inline void tt_capture_send(tt_skb *skb, const struct tt_packet *packet, const struct tt_capturing *run,
					    bool is_denied, const __u64 room)
{
	struct tt_packet_event *record = bpf_ringbuf_reserve(&tt_captures, sizeof(*record) + room, 0);
	__u32 all_but_one = run->bytes - 1;

	if (!record) {
		tt_add(&run->counts->lost, 1);
		return;
	}
	tt_event_fill(&record->event, packet, tt_event_kind(packet->reason));
	record->monotonic_ns = bpf_ktime_get_ns();
	record->length = tt_length(skb);
	record->captured = 0;
	record->link = TT_IS_HOST ? TT_CAPTURE_IP : TT_CAPTURE_ETHERNET;
	record->is_denied = is_denied;
	asm volatile("" : "+r"(all_but_one));
	if (all_but_one < room && !tt_load(skb, TT_IS_HOST ? ETH_HLEN : 0, record + 1, all_but_one + 1))
		record->captured = all_but_one + 1;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	tt_add(&run->counts->captured, 1);
}

/* One packet as it is now, wherever its `packet` says that it is. */
static __always_inline void tt_capture(tt_skb *skb, const struct tt_packet *packet, bool is_denied)
{
	const __u32 length = tt_length(skb);
	struct tt_capturing run = {};

	if (!tt_capture_begin(&run, packet))
		return;
	if (length < run.bytes)
		run.bytes = length;
	if (run.bytes <= TT_CAPTURE_SHORT_BYTES)
		tt_capture_send(skb, packet, &run, is_denied, TT_CAPTURE_SHORT_BYTES);
	else
		tt_capture_send(skb, packet, &run, is_denied, TT_CAPTURE_LONG_BYTES);
}

#endif
