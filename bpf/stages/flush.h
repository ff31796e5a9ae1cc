/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Counts that wait in the flow cache for a packet that does not come go to the flow table. No packet passes here. */
#ifndef TT_STAGES_FLUSH_H
#define TT_STAGES_FLUSH_H

#include "maps/flow.h"
#include "abi/flow.h"
#include "lib/packet.h"

enum tt_flush_dims {
	TT_FLUSH_AT = 16,    /* bytes of the packet before the list of slots */
	TT_FLUSH_SLOTS = 32, /* of one list; TT_FLUSH_END ends a shorter one */
	TT_FLUSH_END = 0xffffffff,
};

/*
 * Takes what waits in the slot into `taken`, and gives it to the flow if that is there. Only with a lock, whichever: it keeps
 * interrupts away, and with them the packets of this CPU, which alone write to the slot. The slot's name was read without it,
 * but one that is given to another flow is given the time too. Returns whether the flow is gone.
 */
static __always_inline bool tt_flush_take(struct tt_cached_flow *slot, struct tt_cached_flow *taken, __u64 synced,
					  const struct tt_flow_key *key, struct tt_flow_entry *entry)
{
	if (slot->synced_jiffies != synced || !slot->packets)
		return false;
	*taken = *slot;
	slot->packets = 0;
	slot->bytes = 0;
	if (!entry || !entry->named_by || !tt_flow_key_equal(key, &entry->key) || synced < entry->flow.created_jiffies)
		return true;
	tt_track_count(&entry->flow, taken->packets, taken->bytes, taken->reply);
	return false;
}

/*
 * One slot of this CPU's, if the flow cache no longer answers from it. 0, or -1: it is another CPU's, or there is none. A
 * global function: verified once.
 */
__noinline int tt_flush_slot(__u32 index)
{
	const struct tt_state *state = tt_state_here();
	struct tt_cached_flow *slot = bpf_map_lookup_elem(&tt_flow_cache, &index);
	struct tt_cached_flow taken;
	struct tt_flow_place place;
	struct tt_flow_entry *entry;
	struct tt_flow_lock *lock;
	struct tt_flow_key key;
	struct tt_tuple tuple;
	bool is_high, is_gone;
	__u64 synced;

	if (!state || !slot || index / tt_cache_slots != bpf_get_smp_processor_id())
		return -1;
	synced = *(volatile __u64 *)&slot->synced_jiffies;
	if (bpf_jiffies64() - synced < state->hz)
		return 0;
	tuple = tt_cache_tuple(slot);
	is_high = tt_key(&tuple, &key);
	place = tt_flow_place(&key, state->flow_seed);
	entry = tt_flow_at(&key, &place);
	lock = bpf_map_lookup_elem(&tt_flow_locks, &place.region);
	if (!lock)
		return -1;
	bpf_spin_lock(&lock->lock);
	is_gone = tt_flush_take(slot, &taken, synced, &key, entry);
	bpf_spin_unlock(&lock->lock);
	if (is_gone)
		tt_told_send_counts(&taken, &key, is_high);
	return 0;
}

/* The slots that the packet lists. 0, or -1: not all of them were this CPU's. */
static __always_inline int tt_flush(struct __sk_buff *skb)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < TT_FLUSH_SLOTS; i++) {
		__u32 index;

		if (bpf_skb_load_bytes(skb, TT_FLUSH_AT + i * sizeof(index), &index, sizeof(index)))
			return -1;
		if (index == TT_FLUSH_END)
			return 0;
		if (tt_flush_slot(index))
			return -1;
	}
	return 0;
}

#endif
