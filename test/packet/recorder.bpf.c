// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Takes every packet off an interface and keeps its first bytes, for tests of what programs send themselves. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

/* RSTs over IPv4 and IPv6: frames of these lengths are kept. Numbers, because Linux 5.10 copies none that a packet says. */
enum { SHORT_BYTES = 54, LONG_BYTES = 74, KEPT_BYTES = 96 };

struct record {
	__u32 ifindex;
	__u32 is_ingress;
	__u32 mark;
	__u32 length;
	__u8 bytes[KEPT_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} records SEC(".maps");

static __always_inline int record(struct __sk_buff *skb, __u32 is_ingress)
{
	struct record *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	const __u32 length = skb->len;

	if (!record)
		return TC_ACT_STOLEN;
	record->ifindex = skb->ifindex;
	record->is_ingress = is_ingress;
	record->mark = skb->mark;
	record->length = length;
	__builtin_memset(record->bytes, 0, KEPT_BYTES);
	if (length == SHORT_BYTES)
		bpf_skb_load_bytes(skb, 0, record->bytes, SHORT_BYTES);
	if (length == LONG_BYTES)
		bpf_skb_load_bytes(skb, 0, record->bytes, LONG_BYTES);
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return TC_ACT_STOLEN;
}

SEC("tc") int record_in(struct __sk_buff *skb)
{
	return record(skb, 1);
}

SEC("tc") int record_out(struct __sk_buff *skb)
{
	return record(skb, 0);
}

char _license[] SEC("license") = "GPL";
