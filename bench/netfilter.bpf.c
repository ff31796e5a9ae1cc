// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* What any program at netfilter's hooks costs: the floor of a host's. */
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

struct bpf_nf_ctx;

SEC("netfilter")
int bench_accept(struct bpf_nf_ctx *context)
{
	return 1;
}

char _license[] SEC("license") = "GPL";
