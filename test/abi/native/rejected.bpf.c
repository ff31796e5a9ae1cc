// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Compiles, and is refused by the verifier: reads the packet without checking its end. */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

SEC("tc") int unchecked(struct __sk_buff *skb)
{
	return *(__u8 *)(long)skb->data;
}

char _license[] SEC("license") = "GPL";
