// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Programs that tell how often each of them was run, for tests of what is on a hook, and an array of programs of another kind. */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

enum { OURS = 0, STAND_IN = 1, LATER = 2, KINDS = 3 };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, KINDS);
	__type(key, __u32);
	__type(value, __u64);
} runs SEC(".maps");

/* As tt_sides, but nothing that is loaded with it uses it. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 16);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} programs SEC(".maps");

static __always_inline int count(__u32 kind)
{
	__u64 *run = bpf_map_lookup_elem(&runs, &kind);

	if (run)
		__sync_fetch_and_add(run, 1);
	return 0;
}

SEC("tc") int ours(struct __sk_buff *skb)
{
	return count(OURS);
}

/* Another build of the same. */
SEC("tc") int later(struct __sk_buff *skb)
{
	return count(LATER);
}

SEC("tc") int stand_in(struct __sk_buff *skb)
{
	return count(STAND_IN);
}

/* Somebody else's, who leaves it to the next one. */
SEC("tc") int next(struct __sk_buff *skb)
{
	return -1;
}

SEC("xdp") int other_kind(struct xdp_md *frame)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
