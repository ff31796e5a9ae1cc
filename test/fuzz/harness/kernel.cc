// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Helpers and maps of the pretend kernel. As strict as the verifier where that can be seen at run time: values end in
// poisoned memory, records are submitted once, nothing but memory is touched while a lock is held.
#include "kernel.h"

#include <linux/bpf.h>
#include <sanitizer/asan_interface.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <list>
#include <memory>

namespace {

constexpr uint32_t kRedZone = 32;

struct Entry {
	std::unique_ptr<uint8_t[]> key;
	std::unique_ptr<uint8_t[]> value;
};

using Entries = std::list<Entry>;

struct bpf_spin_lock *held;
void *reserved;

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

void check_unlocked(const char *helper)
{
	if (held)
		fuzz_fail("%s called while a spin lock is held: the verifier refuses that", helper);
}

fuzz_map *map_of(void *definition)
{
	fuzz_map *map = *static_cast<fuzz_map **>(definition);

	if (!map)
		fuzz_fail("a map that the harness does not define");
	return map;
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

struct fuzz_machine fuzz_machine;

void fuzz_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("fuzz: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	abort();
}

fuzz_map *fuzz_map_define(void *definition, const char *name, uint32_t type, uint32_t max_entries, uint32_t key_size,
			  uint32_t value_size)
{
	auto *map = new fuzz_map{ name, type, max_entries, key_size, value_size, 0, nullptr, nullptr };

	*static_cast<fuzz_map **>(definition) = map;
	if (is_array(type)) {
		const size_t count = size_t(max_entries) * (is_per_cpu(type) ? FUZZ_CPUS : 1);

		map->stride = (value_size + 7) / 8 * 8 + kRedZone;
		map->memory = static_cast<uint8_t *>(calloc(count, map->stride));
		for (size_t index = 0; index < count; index++)
			__asan_poison_memory_region(map->memory + index * map->stride + value_size,
						    map->stride - value_size);
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

void fuzz_run_begin(void)
{
	fuzz_machine.redirect_ifindex = 0;
	fuzz_machine.events = 0;
}

void fuzz_run_end(void)
{
	if (held)
		fuzz_fail("the program ended with a spin lock held");
	if (reserved)
		fuzz_fail("the program ended with a ring-buffer record neither submitted nor discarded");
}

extern "C" {

void *bpf_map_lookup_elem(void *definition, const void *key)
{
	const fuzz_map *map = map_of(definition);

	check_unlocked("bpf_map_lookup_elem");
	__asan_region_is_poisoned(const_cast<void *>(key), map->key_size)
		? fuzz_fail("%s: looked up with a key outside of memory", map->name)
		: void();
	if (!is_array(map->type)) {
		Entry *entry = find(map, static_cast<const uint8_t *>(key));

		return entry ? entry->value.get() : nullptr;
	}
	const uint32_t index = *static_cast<const uint32_t *>(key);

	return index < map->max_entries ? fuzz_map_at(map, fuzz_machine.cpu, index) : nullptr;
}

long bpf_map_update_elem(void *definition, const void *key, const void *value, __u64)
{
	fuzz_map *map = map_of(definition);

	check_unlocked("bpf_map_update_elem");
	if (is_array(map->type))
		fuzz_fail("%s: no program writes arrays by helper", map->name);
	fuzz_map_put(map, key, value);
	return 0;
}

__u64 bpf_jiffies64(void)
{
	check_unlocked("bpf_jiffies64");
	return fuzz_machine.jiffies;
}

__u64 bpf_ktime_get_ns(void)
{
	check_unlocked("bpf_ktime_get_ns");
	return fuzz_machine.jiffies * 1000000;
}

__u32 bpf_get_smp_processor_id(void)
{
	check_unlocked("bpf_get_smp_processor_id");
	return fuzz_machine.cpu;
}

// As in the kernel, a failed read leaves zeroes behind, and reads the whole frame, linear or not.
long bpf_skb_load_bytes(const void *, __u32 offset, void *to, __u32 size)
{
	check_unlocked("bpf_skb_load_bytes");
	if (offset > 0x7fffffff || uint64_t(offset) + size > fuzz_machine.frame_size) {
		memset(to, 0, size);
		return -EFAULT;
	}
	memcpy(to, fuzz_machine.frame + offset, size);
	return 0;
}

void *bpf_ringbuf_reserve(void *, __u64 size, __u64)
{
	check_unlocked("bpf_ringbuf_reserve");
	if (reserved)
		fuzz_fail("a second ring-buffer record while one is held");
	if (fuzz_machine.is_ring_full)
		return nullptr;
	if (fuzz_machine.events == 8 || size > sizeof(fuzz_machine.event[0]))
		fuzz_fail("more events of one packet, or larger ones, than the harness has room for");
	// Of its own, so that the sanitizer knows where it ends; never zeroed, as in the kernel.
	reserved = malloc(size);
	memset(reserved, 0xa5, size);
	fuzz_machine.event_size[fuzz_machine.events] = size;
	return reserved;
}

void bpf_ringbuf_submit(void *record, __u64)
{
	check_unlocked("bpf_ringbuf_submit");
	if (!record || record != reserved)
		fuzz_fail("a record was submitted that is not the one reserved");
	const uint32_t number = fuzz_machine.events++;
	memcpy(fuzz_machine.event[number], record, fuzz_machine.event_size[number]);
	free(record);
	reserved = nullptr;
}

long bpf_spin_lock(struct bpf_spin_lock *lock)
{
	if (held)
		fuzz_fail("a second spin lock while one is held");
	held = lock;
	lock->val = 1;
	return 0;
}

long bpf_spin_unlock(struct bpf_spin_lock *lock)
{
	if (held != lock)
		fuzz_fail("a spin lock was released that is not held");
	held = nullptr;
	lock->val = 0;
	return 0;
}

long bpf_redirect_peer(__u32 ifindex, __u64 flags)
{
	check_unlocked("bpf_redirect_peer");
	if (flags || fuzz_machine.redirect_ifindex)
		return 2;
	fuzz_machine.redirect_ifindex = ifindex;
	return 7;
}

long bpf_fib_lookup(void *, struct bpf_fib_lookup *query, int size, __u32)
{
	check_unlocked("bpf_fib_lookup");
	if (size != sizeof(*query))
		return -EINVAL;
	return fuzz_machine.fib_result;
}

} // extern "C"
