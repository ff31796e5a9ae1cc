/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Where flows are kept: found without a lock, given a place under one. Knows no packet and no policy. */
#ifndef TT_STAGES_FLOW_TABLE_H
#define TT_STAGES_FLOW_TABLE_H

#include <stdbool.h>

#include "maps/flow.h"
#include "lib/ip.h"
#include "lib/packet.h"

/* Tags are compared four at a time. */
#define TT_LANE_ONES 0x0001000100010001ULL
#define TT_LANE_TOPS 0x8000800080008000ULL

enum tt_flow_table_dims {
	TT_FLOW_LANE_WORDS = TT_FLOW_WAYS / 4,
	TT_FLOW_TRIES = 32,	 /* places looked at for one that may be had */
	TT_FLOW_NOWHERE = 65536, /* no entry */
};

_Static_assert(sizeof(struct tt_flow_key) == 40, "keys are hashed and compared as five 64-bit words");
_Static_assert(offsetof(struct tt_flow_entry, flow) % 8 == 0, "counters are added to atomically");

/* Where a key's flow is, or would be. */
struct tt_flow_place {
	__u32 region;
	__u32 bucket;
	__u32 tag; /* 16 bits, never 0 */
};

/*
 * Two lanes of multiply and fold, as in wyhash and its kin. The seed is secret and enters before the first
 * multiplication, so that nobody can send flows of one bucket on purpose.
 */
static __always_inline struct tt_flow_place tt_flow_place(const struct tt_flow_key *key, __u64 seed)
{
	const tt_any64 *word = (const void *)key;
	__u64 low = ((word[0] ^ seed) * 0x9e3779b97f4a7c15ULL) + word[1];
	__u64 high = ((word[2] + seed) * 0xc2b2ae3d27d4eb4fULL) ^ word[3];

	low = (low ^ low >> 32) * 0xd6e8feb86659fd93ULL;
	high = (high ^ high >> 29) * 0xa0761d6478bd642fULL;
	low = (low ^ high ^ high >> 32 ^ word[4]) * 0xe7037ed1a0b428dbULL;
	low ^= low >> 32;
	return (struct tt_flow_place){
		.region = (__u32)low & (tt_flow_regions - 1),
		.bucket = (__u32)(low >> 20) & (tt_flow_room * 2 / TT_FLOW_WAYS - 1),
		.tag = (__u32)(low >> 48) | 1,
	};
}

static __always_inline struct tt_flow_region *tt_flow_region_at(__u32 number)
{
	return bpf_map_lookup_elem(&tt_flows, &number);
}

static __always_inline struct tt_flow_bucket *tt_flow_bucket(struct tt_flow_region *region, __u32 number)
{
	return &region->bucket[number & (TT_FLOW_REGION_BUCKETS - 1)];
}

static __always_inline struct tt_flow_entry *tt_flow_entry(struct tt_flow_region *region, __u32 number)
{
	return &region->entry[number & (TT_FLOW_REGION_ENTRIES - 1)];
}

/* The top bit of each 16-bit lane that equals value. Exact for the lowest one, which no borrow reaches. */
static __always_inline __u64 tt_lanes_equal(__u64 lanes, __u32 value)
{
	const __u64 difference = lanes ^ value * TT_LANE_ONES;

	return (difference - TT_LANE_ONES) & ~difference & TT_LANE_TOPS;
}

/* Number of the lowest lane whose top bit is set. */
static __always_inline __u32 tt_lowest_lane(__u64 tops)
{
	const __u64 lowest = (tops & -tops) >> 15;

	return (lowest * 0x0000000100020003ULL >> 48) & 3;
}

static __always_inline __u64 tt_lanes(const __u16 *lanes, __u32 word)
{
	return ((const volatile tt_any64 *)lanes)[word & (TT_FLOW_LANE_WORDS - 1)];
}

/* Whether some lane may equal value. */
static __always_inline bool tt_has_lane(const __u16 *lanes, __u32 value)
{
	return tt_lanes_equal(tt_lanes(lanes, 0), value) | tt_lanes_equal(tt_lanes(lanes, 1), value) |
	       tt_lanes_equal(tt_lanes(lanes, 2), value) | tt_lanes_equal(tt_lanes(lanes, 3), value);
}

/* The first way whose lane equals value, or TT_FLOW_WAYS. */
static __always_inline __u32 tt_lane_with(const __u16 *lanes, __u32 value)
{
#pragma clang loop unroll(disable)
	for (__u32 word = 0; word < TT_FLOW_LANE_WORDS; word++) {
		const __u64 tops = tt_lanes_equal(tt_lanes(lanes, word), value);

		if (tops)
			return word * 4 + tt_lowest_lane(tops);
	}
	return TT_FLOW_WAYS;
}

static __always_inline bool tt_flow_key_equal(const struct tt_flow_key *a, const struct tt_flow_key *b)
{
	const tt_any64 *left = (const void *)a, *right = (const void *)b;

	return !((left[0] ^ right[0]) | (left[1] ^ right[1]) | (left[2] ^ right[2]) | (left[3] ^ right[3]) |
		 (left[4] ^ right[4]));
}

/* Number of the key's entry in the region, or TT_FLOW_NOWHERE. */
static __always_inline __u32 tt_flow_seek(struct tt_flow_region *region, const struct tt_flow_key *key,
					  const struct tt_flow_place *place)
{
	const struct tt_flow_bucket *bucket = tt_flow_bucket(region, place->bucket);

	if (!tt_has_lane(bucket->tag, place->tag))
		return TT_FLOW_NOWHERE;
#pragma clang loop unroll(disable)
	for (__u32 word = 0; word < TT_FLOW_LANE_WORDS; word++) {
		__u64 tops = tt_lanes_equal(tt_lanes(bucket->tag, word), place->tag);

#pragma clang loop unroll(disable)
		for (int lane = 0; lane < 4 && tops; lane++) {
			const __u32 way = word * 4 + tt_lowest_lane(tops);
			const __u32 number = *(const volatile __u16 *)&bucket->entry[way & (TT_FLOW_WAYS - 1)];

			if (tt_flow_key_equal(key, &tt_flow_entry(region, number)->key))
				return number;
			tops &= tops - 1;
		}
	}
	return TT_FLOW_NOWHERE;
}

static __noinline __u32 tt_flow_search(struct tt_flow_region *region, const struct tt_flow_key *key,
				       const struct tt_flow_place *place)
{
	return tt_flow_seek(region, key, place);
}

/* The entry of a key, whatever its age, or NULL. */
static __always_inline struct tt_flow_entry *tt_flow_at(const struct tt_flow_key *key,
							const struct tt_flow_place *place)
{
	struct tt_flow_region *region = tt_flow_region_at(place->region);
	__u32 number;

	if (!region)
		return NULL;
	number = tt_flow_search(region, key, place);
	return number < TT_FLOW_NOWHERE ? tt_flow_entry(region, number) : NULL;
}

static __always_inline __s32 tt_flow_time_left(const struct tt_flow_entry *entry, __u32 now)
{
	return entry->named_by ? (__s32)(entry->deadline - now) : -1;
}

/*
 * Number of the entry to use next: the hand goes on to one that is free, or whose flow has ended or may be spared: it
 * ends within so many units of the clock, as flows do that nobody has answered. If a few steps meet none, the one that
 * ends first goes. So a flood of new flows displaces itself, and leaves established connections alone.
 */
static __always_inline __u32 tt_flow_choose(struct tt_flow_region *region, __u32 now, __s32 spared)
{
	__u32 best = region->hand & (tt_flow_room - 1);
	__s32 least = 0x7fffffff;

#pragma clang loop unroll(disable)
	for (__u32 step = 0; step < TT_FLOW_TRIES; step++) {
		const __u32 number = (region->hand + step) & (tt_flow_room - 1);
		const __s32 left = tt_flow_time_left(tt_flow_entry(region, number), now);

		if (left < least) {
			least = left;
			best = number;
		}
		if (left <= spared)
			break;
	}
	region->hand = best + 1;
	return best;
}

static __always_inline void tt_flow_clear_tag(struct tt_flow_region *region, __u32 bucket, __u32 way)
{
	*(volatile __u16 *)&tt_flow_bucket(region, bucket)->tag[way & (TT_FLOW_WAYS - 1)] = 0;
}

/*
 * The way of a full bucket that gives way to another flow: the one that has ended, or ends first. An established
 * connection that loses its flow is judged anew by whichever end speaks next, as if that had opened it: nearly always
 * there is another flow to go. 0 while there is a free way. A global function, and so not under the region's lock: that
 * would have the verifier follow all these ways behind each that leads there. Where another CPU fills the bucket
 * meanwhile, the flow of way 0 may have to go.
 */
__noinline __u32 tt_flow_way_to_give(__u32 region_number, __u32 bucket_number, __u32 now)
{
	struct tt_flow_region *region = tt_flow_region_at(region_number);
	const struct tt_flow_bucket *bucket;
	__s32 least = 0x7fffffff;
	__u32 best = 0;

	if (!region)
		return 0;
	bucket = tt_flow_bucket(region, bucket_number);
	if (tt_has_lane(bucket->tag, 0))
		return 0;
#pragma clang loop unroll(disable)
	for (__u32 way = 0; way < TT_FLOW_WAYS; way++) {
		const __s32 left = tt_flow_time_left(tt_flow_entry(region, bucket->entry[way]), now);

		if (left < least) {
			least = left;
			best = way;
		}
	}
	return best;
}

/* Takes an entry out of the index. */
static __always_inline void tt_flow_unlink(struct tt_flow_region *region, struct tt_flow_entry *entry)
{
	const __u32 name = entry->named_by - 1;

	if (!entry->named_by)
		return;
	tt_flow_clear_tag(region, name / TT_FLOW_WAYS, name % TT_FLOW_WAYS);
	entry->named_by = 0;
}

/* An entry for a key that has none. Nobody else finds it before tt_flow_publish. */
struct tt_flow_made {
	struct tt_flow_entry *entry;
	__u32 number;
	__u32 way;
	bool has_evicted; /* a flow that had not ended */
};

/*
 * Takes the place that is next, and a way of the key's bucket. In few buckets are all ways taken: then that of `given`
 * loses its flow. Notes the flows that go in `gone`, if there is such. Only with the region's lock. A packet of a flow that goes, in the hands of another CPU, may
 * still write to the entry, as with the kernel's own LRU maps.
 */
static __always_inline struct tt_flow_made tt_flow_make(struct tt_flow_region *region,
							const struct tt_flow_place *place, __u32 now,
							__s32 spared, __u32 given, struct tt_flow_event *gone)
{
	struct tt_flow_bucket *bucket = tt_flow_bucket(region, place->bucket);
	struct tt_flow_made made = { .number = tt_flow_choose(region, now, spared) };

	made.entry = tt_flow_entry(region, made.number);
	made.has_evicted = tt_flow_time_left(made.entry, now) >= 0;
	if (gone)
		tt_told_note(&gone[0], place->region, made.entry, made.number);
	tt_flow_unlink(region, made.entry);
	made.way = tt_lane_with(bucket->tag, 0);
	if (made.way >= TT_FLOW_WAYS) {
		struct tt_flow_entry *other;
		__u32 number;

		made.way = given & (TT_FLOW_WAYS - 1);
		number = bucket->entry[made.way];
		other = tt_flow_entry(region, number);
		made.has_evicted |= tt_flow_time_left(other, now) >= 0;
		if (gone)
			tt_told_note(&gone[1], place->region, other, number);
		tt_flow_unlink(region, other);
	}
	barrier();
	return made;
}

/* From here on others find the entry, which must be complete. */
static __always_inline void tt_flow_publish(struct tt_flow_region *region, const struct tt_flow_place *place,
					    const struct tt_flow_made *made)
{
	struct tt_flow_bucket *bucket = tt_flow_bucket(region, place->bucket);
	const __u32 way = made->way & (TT_FLOW_WAYS - 1);

	made->entry->named_by = 1 + TT_FLOW_WAYS * place->bucket + way;
	bucket->entry[way] = made->number;
	barrier();
	*(volatile __u16 *)&bucket->tag[way] = place->tag;
}

#endif
