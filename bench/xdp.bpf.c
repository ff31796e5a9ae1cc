// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* The guard beside empty programs of the same shape, for the benchmark. Never attached to an interface. */
#define TT_AT_XDP
#include "stages/guard-judge.h"

enum bench_sources {
	BENCH_SOURCES = 65536,
};

struct bench_source {
	__u32 word[4];
};

/* Addresses that the programs with a changing source draw from. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BENCH_SOURCES);
	__type(key, __u32);
	__type(value, struct bench_source);
} bench_sources SEC(".maps");

/* Where the source address is, and how many words it has. */
const volatile __u32 bench_source_at = 26;
const volatile __u32 bench_source_words = 1;

static __u64 bench_seed = 1;

/* Writes another source into the frame. 0 or -1. */
static __always_inline int bench_change_source(struct xdp_md *frame)
{
	__u32 *at = (void *)(long)frame->data + bench_source_at;
	const void *end = (const void *)(long)frame->data_end;
	const struct bench_source *source;
	__u32 index;

	/* Knuth's MMIX generator: the upper bits are the good ones. */
	bench_seed = bench_seed * 6364136223846793005ULL + 1442695040888963407ULL;
	index = bench_seed >> 48;
	source = bpf_map_lookup_elem(&bench_sources, &index);
	if (!source || (const void *)(at + 4) > end)
		return -1;
	at[0] = source->word[0];
	if (bench_source_words == 1)
		return 0;
	at[1] = source->word[1];
	at[2] = source->word[2];
	at[3] = source->word[3];
	return 0;
}

SEC("xdp")
int bench_empty(struct xdp_md *frame)
{
	return XDP_PASS;
}

SEC("xdp")
int bench_guard(struct xdp_md *frame)
{
	return tt_guard_judge(frame);
}

SEC("xdp")
int bench_change(struct xdp_md *frame)
{
	return bench_change_source(frame) ? XDP_ABORTED : XDP_PASS;
}

SEC("xdp")
int bench_change_guard(struct xdp_md *frame)
{
	return bench_change_source(frame) ? XDP_ABORTED : tt_guard_judge(frame);
}

char _license[] SEC("license") = "GPL";
