/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Door to the programs compiled for this machine: their entry points, maps and settings. */
#ifndef TT_FUZZ_STAGES_H
#define TT_FUZZ_STAGES_H

#include <linux/bpf.h>
#include <stdint.h>

#include "abi/common.h"
#include "abi/endpoint.h"
#include "abi/event.h"
#include "abi/flow.h"
#include "abi/guard.h"
#include "abi/heap.h"
#include "kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	FUZZ_ENDPOINT_SLOTS = 64,
	FUZZ_CACHE_SLOTS = 16,
	FUZZ_HZ = 1000,
};

struct fuzz_stages {
	struct fuzz_map *heap, *v6_nodes, *state, *endpoints, *addresses, *sources, *counters, *budgets, *flows, *locks,
		*fragments, *cache, *packets;
	struct fuzz_map *guard_heap, *guard_state, *guard_drops;
};
extern struct fuzz_stages fuzz_stages;

/* Once. Both heaps get this many blocks of their own; see fuzz_stages_use. */
void fuzz_stages_define(void);

/* Has the programs read a heap: in blocks (maps of TT_HEAP_BLOCK_WORDS), or flat (one value of count words). */
void fuzz_stages_use(struct fuzz_map *heap, struct fuzz_map *v6_nodes, int is_flat, uint32_t count);
void fuzz_stages_use_guard(struct fuzz_map *heap, int is_flat, uint32_t count);

/* Room in the flow table: a power of two, 16 to 8192. Empties table, cache and fragments. */
void fuzz_stages_forget(uint32_t room);

int fuzz_from_workload(struct __sk_buff *skb);
int fuzz_to_workload(struct __sk_buff *skb);
int fuzz_guard(struct xdp_md *frame);

/* Words that the last slow walk on this CPU judged by. */
void fuzz_last_words(uint32_t *egress, uint32_t *ingress);

/* Aborts if the flow table's index and entries contradict each other. Returns the number of entries in use. */
uint32_t fuzz_check_flow_table(uint32_t room);

/* The flow of a key's entry that is in use, or NULL. */
const struct tt_flow *fuzz_flow_entry(uint32_t number, struct tt_flow_key *key);

#ifdef __cplusplus
}
#endif

#endif
