// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* The real stages, unchanged, as a library of this machine. All that is fuzzed is in this translation unit. */
#include "programs/walk.h"
#include "stages/guard.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stages.h"

#define LENGTH(member) (sizeof(*(member)) / sizeof(int))
#define DEFINE(map, entries)                                                                                          \
	fuzz_map_define(&map, #map, LENGTH(map.type), entries, sizeof(*map.key), sizeof(*map.value))

struct fuzz_stages fuzz_stages;

/* Settings are rodata that user space sets before load. */
static void set_word(const volatile __u32 *word, __u32 value)
{
	const long page = sysconf(_SC_PAGESIZE);
	void *start = (void *)((uintptr_t)word & -page);

	if (*word == value)
		return;
	if (mprotect(start, 2 * page, PROT_READ | PROT_WRITE))
		fuzz_fail("mprotect of a setting failed");
	*(volatile __u32 *)(uintptr_t)word = value;
}

void fuzz_stages_define(void)
{
	fuzz_stages.state = DEFINE(tt_state, 1);
	fuzz_stages.endpoints = DEFINE(tt_endpoints, FUZZ_ENDPOINT_SLOTS);
	fuzz_stages.addresses = DEFINE(tt_addresses, LENGTH(tt_addresses.max_entries));
	fuzz_stages.sources = DEFINE(tt_sources, LENGTH(tt_sources.max_entries));
	fuzz_stages.counters = DEFINE(tt_counters, LENGTH(tt_counters.max_entries));
	fuzz_stages.budgets = DEFINE(tt_budgets, 1);
	/* All zero: nothing is captured. */
	DEFINE(tt_capture_set, 1);
	DEFINE(tt_capture_cpus, 1);
	fuzz_stages.flows = DEFINE(tt_flows, 1);
	fuzz_stages.locks = DEFINE(tt_flow_locks, 1);
	fuzz_stages.fragments = DEFINE(tt_fragments, LENGTH(tt_fragments.max_entries));
	fuzz_stages.cache = DEFINE(tt_flow_cache, FUZZ_CACHE_SLOTS * FUZZ_CPUS);
	fuzz_stages.packets = DEFINE(tt_packets, 1);
	fuzz_stages.guard_state = DEFINE(tt_guard_state, 1);
	fuzz_stages.guard_drops = DEFINE(tt_guard_drops, LENGTH(tt_guard_drops.max_entries));
	set_word(&tt_endpoint_slots, FUZZ_ENDPOINT_SLOTS);
	set_word(&tt_cache_slots, FUZZ_CACHE_SLOTS);
	set_word(&tt_flow_regions, 1);
}

void fuzz_stages_use(struct fuzz_map *heap, struct fuzz_map *v6_nodes, int is_flat, uint32_t count)
{
	*(struct fuzz_map **)&tt_heap = heap;
	*(struct fuzz_map **)&tt_v6_nodes = v6_nodes;
	fuzz_stages.heap = heap;
	fuzz_stages.v6_nodes = v6_nodes;
	set_word(&tt_is_flat, is_flat);
	set_word(&tt_heap_words, count);
}

void fuzz_stages_use_guard(struct fuzz_map *heap, int is_flat, uint32_t count)
{
	*(struct fuzz_map **)&tt_guard_heap = heap;
	fuzz_stages.guard_heap = heap;
	set_word(&tt_guard_is_flat, is_flat);
	set_word(&tt_guard_words, count);
}

void fuzz_stages_forget(uint32_t room)
{
	struct tt_flow_region *region = fuzz_map_at(fuzz_stages.flows, 0, 0);
	const __u32 used = tt_flow_room < room ? room : tt_flow_room;

	region->hand = 0;
	memset(region->bucket, 0, used * 2 / TT_FLOW_WAYS * sizeof(*region->bucket));
	memset(region->entry, 0, (used > 1024 ? 1024 : used) * sizeof(*region->entry));
	set_word(&tt_flow_room, room);
	for (__u32 slot = 0; slot < FUZZ_CACHE_SLOTS * FUZZ_CPUS; slot++)
		memset(fuzz_map_at(fuzz_stages.cache, 0, slot), 0, sizeof(struct tt_cached_flow));
	fuzz_map_clear(fuzz_stages.fragments);
}

int fuzz_from_workload(struct __sk_buff *skb)
{
	return tt_walk_from_workload(skb);
}

int fuzz_to_workload(struct __sk_buff *skb)
{
	return tt_walk_to_workload(skb);
}

int fuzz_guard(struct xdp_md *frame)
{
	return tt_guard_judge_source(frame);
}

void fuzz_last_words(uint32_t *egress, uint32_t *ingress)
{
	const struct tt_packet *packet = fuzz_map_at(fuzz_stages.packets, fuzz_machine.cpu, 0);

	*egress = packet->egress_word;
	*ingress = packet->ingress_word;
}

static void check_bucket(struct tt_flow_region *region, __u32 number)
{
	const struct tt_flow_bucket *bucket = &region->bucket[number];

	for (__u32 way = 0; way < TT_FLOW_WAYS; way++) {
		if (!bucket->tag[way])
			continue;
		if (bucket->entry[way] >= tt_flow_room)
			fuzz_fail("bucket %u way %u names entry %u of %u", number, way, bucket->entry[way], tt_flow_room);
		if (region->entry[bucket->entry[way]].named_by != 1 + TT_FLOW_WAYS * number + way)
			fuzz_fail("bucket %u way %u names an entry that is named by %u", number, way,
				  region->entry[bucket->entry[way]].named_by);
	}
}

uint32_t fuzz_check_flow_table(uint32_t room)
{
	struct tt_flow_region *region = fuzz_map_at(fuzz_stages.flows, 0, 0);
	uint32_t used = 0;

	for (__u32 number = 0; number < room * 2 / TT_FLOW_WAYS; number++)
		check_bucket(region, number);
	for (__u32 number = 0; number < room; number++) {
		const __u32 name = region->entry[number].named_by;

		if (!name)
			continue;
		used++;
		if ((name - 1) / TT_FLOW_WAYS >= room * 2 / TT_FLOW_WAYS ||
		    !region->bucket[(name - 1) / TT_FLOW_WAYS].tag[(name - 1) % TT_FLOW_WAYS] ||
		    region->bucket[(name - 1) / TT_FLOW_WAYS].entry[(name - 1) % TT_FLOW_WAYS] != number)
			fuzz_fail("entry %u says that way %u names it, which it does not", number, name - 1);
	}
	return used;
}

const struct tt_flow *fuzz_flow_entry(uint32_t number, struct tt_flow_key *key)
{
	const struct tt_flow_region *region = fuzz_map_at(fuzz_stages.flows, 0, 0);
	const struct tt_flow_entry *entry = &region->entry[number];

	*key = entry->key;
	return entry->named_by ? &entry->flow : NULL;
}
