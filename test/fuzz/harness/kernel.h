/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The pretend kernel that the stages run in: maps with exact bounds, helpers, a clock. Knows no packet and no policy. */
#ifndef TT_FUZZ_KERNEL_H
#define TT_FUZZ_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { FUZZ_CPUS = 2 };

/* What a map's definition in bpf/maps says; its first pointer is made to lead here. */
struct fuzz_map {
	const char *name;
	uint32_t type;
	uint32_t max_entries;
	uint32_t key_size;
	uint32_t value_size;
	uint32_t stride;
	uint8_t *memory;
	void *entries; /* of hashes and tries */
	uint32_t hole_from, hole_count; /* of an array: elements that no program finds */
};

/* Gives a map its content: all zero, or empty. definition is the object that bpf/maps declares. */
struct fuzz_map *fuzz_map_define(void *definition, const char *name, uint32_t type, uint32_t max_entries,
				 uint32_t key_size, uint32_t value_size);

/* Element of an array map for the harness, which is not subject to the checks on helpers. */
void *fuzz_map_at(const struct fuzz_map *map, uint32_t cpu, uint32_t index);
/* As a program finds it on a CPU: by index, whole key or longest prefix; NULL if there is none. */
void *fuzz_map_find(const struct fuzz_map *map, uint32_t cpu, const void *key);
void fuzz_map_put(struct fuzz_map *map, const void *key, const void *value);
void fuzz_map_remove(struct fuzz_map *map, const void *key);
void fuzz_map_clear(struct fuzz_map *map);

/* Where the machine is; set by the harness, read by helpers. */
struct fuzz_machine {
	uint64_t jiffies;
	uint32_t cpu;
	int is_ring_full;
	long fib_result;
	/* The frame in hand: its linear part is what data and data_end span. */
	const uint8_t *frame;
	uint32_t frame_size;
	/* What the run did. */
	uint32_t redirect_ifindex; /* 0 = none */
	uint32_t misses; /* lookups that found nothing */
	uint32_t events;
	uint8_t event[8][128];
	uint32_t event_size[8];
};
extern struct fuzz_machine fuzz_machine;

/* Around each run of a program: nothing may be held when it ends. */
void fuzz_run_begin(void);
void fuzz_run_end(void);

/* Says what is wrong and aborts, as a sanitizer does. */
__attribute__((noreturn, format(printf, 1, 2))) void fuzz_fail(const char *format, ...);

#ifdef __cplusplus
}
#endif

#endif
