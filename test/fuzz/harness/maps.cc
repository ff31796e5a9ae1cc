// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Maps of the pretend kernel: each value of an array ends in poisoned memory.
#include <linux/bpf.h>

#include <cstdlib>
#include <cstring>
#include <list>
#include <memory>

#include "kernel.h"
#include "poison.h"

namespace {

constexpr uint32_t kRedZone = 32;

struct Entry {
	std::unique_ptr<uint8_t[]> key;
	std::unique_ptr<uint8_t[]> value;
};

using Entries = std::list<Entry>;

Entries &entries_of(const fuzz_map *map)
{
	return *static_cast<Entries *>(map->entries);
}

bool is_per_cpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

bool is_array(uint32_t type)
{
	return type == BPF_MAP_TYPE_ARRAY || is_per_cpu(type);
}

// The first bits of two keys of a trie, whose own first four bytes are a length.
bool covers(const uint8_t *prefix, const uint8_t *key, uint32_t key_size)
{
	uint32_t bits, wanted;

	memcpy(&bits, prefix, 4);
	memcpy(&wanted, key, 4);
	if (bits > wanted || bits > (key_size - 4) * 8)
		return false;
	for (uint32_t bit = 0; bit < bits; bit++) {
		const uint32_t at = 4 + bit / 8;
		if ((prefix[at] ^ key[at]) >> (7 - bit % 8) & 1)
			return false;
	}
	return true;
}

Entry *find(const fuzz_map *map, const uint8_t *key)
{
	Entry *best = nullptr;
	uint32_t most = 0;

	for (Entry &entry : entries_of(map)) {
		if (map->type != BPF_MAP_TYPE_LPM_TRIE) {
			if (!memcmp(entry.key.get(), key, map->key_size))
				return &entry;
			continue;
		}
		uint32_t bits;
		memcpy(&bits, entry.key.get(), 4);
		if (covers(entry.key.get(), key, map->key_size) && (!best || bits >= most)) {
			best = &entry;
			most = bits;
		}
	}
	return best;
}

} // namespace

fuzz_map *fuzz_map_define(void *definition, const char *name, uint32_t type, uint32_t max_entries, uint32_t key_size,
			  uint32_t value_size)
{
	auto *map = new fuzz_map{ name, type, max_entries, key_size, value_size, 0, nullptr, nullptr, 0, 0 };

	*static_cast<fuzz_map **>(definition) = map;
	if (is_array(type)) {
		const size_t count = size_t(max_entries) * (is_per_cpu(type) ? FUZZ_CPUS : 1);

		map->stride = (value_size + 7) / 8 * 8 + kRedZone;
		map->memory = static_cast<uint8_t *>(calloc(count, map->stride));
		for (size_t index = 0; index < count; index++)
			fuzz::poison(map->memory + index * map->stride + value_size, map->stride - value_size);
	} else {
		map->entries = new Entries;
	}
	return map;
}

void *fuzz_map_at(const fuzz_map *map, uint32_t cpu, uint32_t index)
{
	const size_t row = is_per_cpu(map->type) ? size_t(cpu) * map->max_entries + index : index;

	return map->memory + row * map->stride;
}

void fuzz_map_put(fuzz_map *map, const void *key, const void *value)
{
	Entry *known = nullptr;

	for (Entry &entry : entries_of(map))
		if (!memcmp(entry.key.get(), key, map->key_size))
			known = &entry;
	if (!known) {
		entries_of(map).push_front(Entry{ std::make_unique<uint8_t[]>(map->key_size),
						  std::make_unique<uint8_t[]>(map->value_size) });
		known = &entries_of(map).front();
		memcpy(known->key.get(), key, map->key_size);
	}
	memcpy(known->value.get(), value, map->value_size);
}

void fuzz_map_remove(fuzz_map *map, const void *key)
{
	entries_of(map).remove_if([&](const Entry &entry) { return !memcmp(entry.key.get(), key, map->key_size); });
}

void fuzz_map_clear(fuzz_map *map)
{
	entries_of(map).clear();
}

void *fuzz_map_find(const fuzz_map *map, uint32_t cpu, const void *key)
{
	if (map->entries) {
		Entry *entry = find(map, static_cast<const uint8_t *>(key));

		return entry ? entry->value.get() : nullptr;
	}
	const uint32_t index = *static_cast<const uint32_t *>(key);

	if (index >= map->max_entries || index - map->hole_from < map->hole_count)
		return nullptr;
	return fuzz_map_at(map, cpu, index);
}
