// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Maps and programs for the tests of the addon: one of each kind that it handles. */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

const volatile __u32 tt_answer = 1;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u32);
} shared SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} per_cpu SEC(".maps");

struct trie_key {
	__u32 prefix_length;
	__u32 address;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16);
	__type(key, struct trie_key);
	__type(value, __u32);
} prefixes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} records SEC(".maps");

/* Number of the next record, and how many found no room. */
__u64 next_record;
__u64 lost_records;

SEC("tc") int pass(struct __sk_buff *skb)
{
	return 0;
}

SEC("tc") int drop(struct __sk_buff *skb)
{
	return 2;
}

SEC("tc") int answer(struct __sk_buff *skb)
{
	return tt_answer;
}

/* Adds one to shared[0] and returns what it was. Not at once: Linux before 5.12 has no atomic that does both. */
SEC("tc") int bump(struct __sk_buff *skb)
{
	__u32 zero = 0;
	__u32 *value = bpf_map_lookup_elem(&shared, &zero);

	return value ? (*value)++ : 0xffff;
}

struct numbered {
	__u64 number;
	__u32 word;
} __attribute__((packed));

/* One record of 12 bytes for each run. */
SEC("tc") int report(struct __sk_buff *skb)
{
	struct numbered record = {.number = next_record, .word = (__u32)next_record * 3};

	if (bpf_ringbuf_output(&records, &record, sizeof(record), 0))
		lost_records++;
	else
		next_record++;
	return 0;
}

/* Appends four bytes, which a test run has to return. */
SEC("tc") int grow(struct __sk_buff *skb)
{
	return bpf_skb_change_tail(skb, skb->len + 4, 0) ? 1 : 0;
}

char _license[] SEC("license") = "GPL";
