// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Helpers of the pretend kernel. As strict as the verifier where that can be seen at run time: records are submitted
// once, nothing but memory is touched while a lock is held.
#include "kernel.h"
#include "poison.h"

#include <linux/bpf.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct bpf_spin_lock *held;
void *reserved;

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

void fuzz_run_begin(void)
{
	fuzz_machine.redirect_ifindex = 0;
	fuzz_machine.misses = 0;
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
	if (fuzz::is_poisoned(key, map->key_size))
		fuzz_fail("%s: looked up with a key outside of memory", map->name);
	void *found = fuzz_map_find(map, fuzz_machine.cpu, key);
	fuzz_machine.misses += !found;
	return found;
}

long bpf_map_update_elem(void *definition, const void *key, const void *value, __u64)
{
	fuzz_map *map = map_of(definition);

	check_unlocked("bpf_map_update_elem");
	if (!map->entries)
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

// Only flow logs use it, which are off in this machine.
long bpf_ringbuf_output(void *, void *, __u64, __u64)
{
	fuzz_fail("counts of a flow were told to nobody");
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

// Only connections that policy stops are reset, and only where a setting says so, which this machine never has.
long bpf_clone_redirect(void *, __u32, __u64)
{
	fuzz_fail("a RST was sent without being asked for");
}

long bpf_skb_change_tail(void *, __u32, __u64)
{
	fuzz_fail("a packet was cut without a RST being asked for");
}

long bpf_l4_csum_replace(void *, __u32, __u64, __u64, __u64)
{
	fuzz_fail("a checksum was written without a RST being asked for");
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
