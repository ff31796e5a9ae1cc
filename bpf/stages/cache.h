/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The per-CPU flow cache: packets that change nothing about their flow are answered here, for up to a second. */
#ifndef TT_STAGES_CACHE_H
#define TT_STAGES_CACHE_H

#include "maps/endpoint.h"
#include "maps/flow.h"
#include "abi/capture.h"
#include "abi/event.h"
#include "lib/packet.h"

/* Layout of the 64 bits at struct tt_cached_flow.source_port; the reply byte on top is no part of the name. */
enum tt_cache_name {
	TT_CACHE_PROTOCOL_SHIFT = 32,
	TT_CACHE_KIND_SHIFT = 40,
	TT_CACHE_HOOK_SHIFT = 48,
	TT_CACHE_NAME_BITS = 56,
};

_Static_assert(offsetof(struct tt_cached_flow, reply) - offsetof(struct tt_cached_flow, source_port) == 7,
	       "the name is compared as one 64-bit word");
_Static_assert(offsetof(struct tt_cached_flow, ifindex) % 8 == 0, "ifindex and stamp are compared as one word");

static __always_inline __u8 tt_cache_hook(const struct tt_packet *packet)
{
	return packet->hook | (__u8)tt_cache_mark;
}

static __always_inline __u64 tt_cache_name(const struct tt_packet *packet)
{
	return packet->ports | (__u64)packet->protocol << TT_CACHE_PROTOCOL_SHIFT |
	       (__u64)packet->kind << TT_CACHE_KIND_SHIFT | (__u64)tt_cache_hook(packet) << TT_CACHE_HOOK_SHIFT;
}

/* Multiplicative hashing; the constants are the golden ratio's and a neighbour of it (Knuth, TAOCP 6.4). */
static __always_inline __u32 tt_cache_index(const struct tt_packet *packet)
{
	const __u64 low = packet->source.half[0] ^ packet->source.half[1] ^ packet->ports;
	const __u64 high = packet->destination.half[0] ^ packet->destination.half[1];
	const __u64 mixed = low * 0x9e3779b97f4a7c15ULL ^ high * 0xc2b2ae3d27d4eb4fULL;

	const __u32 slots = tt_cache_slots;

	return bpf_get_smp_processor_id() * slots + ((__u32)(mixed >> 40) & (slots - 1));
}

static __always_inline bool tt_cache_names(const struct tt_cached_flow *slot, const struct tt_packet *packet)
{
	const tt_any64 *name = (const void *)&slot->source_port;

	return tt_ip_equal(&packet->source, &slot->source) && tt_ip_equal(&packet->destination, &slot->destination) &&
	       !((*name ^ tt_cache_name(packet)) << (64 - TT_CACHE_NAME_BITS)) && slot->ifindex == packet->ifindex;
}

/*
 * Answers with no helper but the CPU number. The slot was filled by a packet that passed every check, from the same
 * interface, with the same source MAC; whatever those checks went by has not changed since, or the stamp would have.
 * The counts wait in the slot for the flow table.
 */
static __always_inline enum tt_verdict tt_cache(const struct tt_context *context, struct tt_packet *packet)
{
	struct tt_cached_flow *slot;
	__u32 index;

	if (!packet->is_cacheable)
		return TT_CONTINUE;
	index = tt_cache_index(packet);
	slot = bpf_map_lookup_elem(&tt_flow_cache, &index);
	if (!slot || !tt_cache_names(slot, packet) || slot->link != packet->link)
		return TT_CONTINUE;
	if (slot->stamp != packet->stamp || packet->jiffies - slot->synced_jiffies >= context->state->hz)
		return TT_CONTINUE;
	packet->target = slot->target;
	packet->target_slot = slot->target_slot;
	slot->packets++;
	slot->bytes += packet->length;
	return tt_allow(packet, TT_REASON_ALLOWED_CACHED);
}

/* Who talks to whom in a slot. What is ICMP is in none. */
static __always_inline struct tt_tuple tt_cache_tuple(const struct tt_cached_flow *slot)
{
	return (struct tt_tuple){
		.source = tt_ip_load(&slot->source),
		.destination = tt_ip_load(&slot->destination),
		.ports = (__u32)slot->destination_port << 16 | slot->source_port,
		.protocol = slot->protocol,
		.kind = slot->kind,
	};
}

/*
 * Hands a slot's counts to its flow; key is room for its key. Counts from before the flow was created belong to an
 * earlier connection with the same name: they went with it, but for the flow logs.
 */
static __noinline int tt_cache_flush(struct tt_cached_flow *slot, struct tt_flow_key *key, const struct tt_state *state)
{
	const struct tt_tuple tuple = tt_cache_tuple(slot);
	const bool is_high = tt_key(&tuple, key);
	const struct tt_flow_place place = tt_flow_place(key, state->flow_seed);
	struct tt_flow_entry *entry = tt_flow_at(key, &place);

	if (entry && slot->synced_jiffies >= entry->flow.created_jiffies)
		tt_track_count(&entry->flow, slot->packets, slot->bytes, slot->reply);
	else if (tt_is_flow_logged(state))
		tt_told_send_counts(slot, key, is_high);
	slot->packets = 0;
	slot->bytes = 0;
	return 0;
}

/* Whether this packet was judged by what is in force now, as far as one look at a time can tell. */
static __always_inline bool tt_cache_may_fill(const struct tt_context *context, const struct tt_packet *packet)
{
	const struct tt_state *state = context->state;
	const __u32 active = *(const volatile __u32 *)&state->active & 1;

	return active == packet->root_number &&
	       *(const volatile __u32 *)&state->root[active].generation == packet->generation;
}

/*
 * Lets this CPU's next packets of the flow in this direction skip the flow table. The slot must not seem older than its
 * flow, which another CPU may have created after this packet's clock was read.
 */
static __always_inline void tt_cache_fill(const struct tt_context *context, struct tt_packet *packet,
					  const struct tt_flow *flow, bool is_reply)
{
	const __u64 created = flow->created_jiffies;
	const __u64 link = tt_link(context->skb);
	const __u32 index = tt_cache_index(packet);
	struct tt_cached_flow *slot = bpf_map_lookup_elem(&tt_flow_cache, &index);

	/* What the cache answers nobody captures. */
	if (!slot || !link || (packet->captures & TT_CAPTURE_ALLOWED_ANYWHERE) || !tt_cache_may_fill(context, packet))
		return;
	if (slot->packets)
		tt_cache_flush(slot, &packet->key, context->state);
	__builtin_memcpy(&slot->source, &packet->source, sizeof(slot->source));
	__builtin_memcpy(&slot->destination, &packet->destination, sizeof(slot->destination));
	slot->source_port = tt_source_port(packet);
	slot->destination_port = tt_destination_port(packet);
	slot->protocol = packet->protocol;
	slot->kind = packet->kind;
	slot->hook = tt_cache_hook(packet);
	slot->reply = is_reply;
	slot->ifindex = packet->ifindex;
	slot->stamp = packet->stamp;
	slot->target = packet->target;
	slot->target_slot = packet->target_slot;
	slot->egress_word = flow->egress_word;
	slot->ingress_word = flow->ingress_word;
	slot->link = link;
	slot->synced_jiffies = packet->jiffies < created ? created : packet->jiffies;
}

/* A connection that opens or closes starts and ends with exact counts: what this CPU holds of it goes to the table. */
static __always_inline void tt_cache_forget(const struct tt_context *context, struct tt_packet *packet)
{
	const __u32 index = tt_cache_index(packet);
	struct tt_cached_flow *slot = bpf_map_lookup_elem(&tt_flow_cache, &index);

	if (!slot || !tt_cache_names(slot, packet))
		return;
	if (slot->packets)
		tt_cache_flush(slot, &packet->key, context->state);
	slot->ifindex = 0;
}

#endif
