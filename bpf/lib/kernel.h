/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Members of the kernel's own structs that programs read. Where they are, each kernel says when it loads them (CO-RE). */
#ifndef TT_LIB_KERNEL_H
#define TT_LIB_KERNEL_H

#include <linux/types.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct net_device {
	int ifindex;
};

struct nf_hook_state {
	__u8 hook;
	__u8 pf;
	struct net_device *in;
	struct net_device *out;
};

struct dst_entry {
	struct net_device *dev;
};

struct skb_shared_info {
	unsigned short gso_size;
};

struct sk_buff {
	unsigned int len;
	unsigned int data_len; /* of len: not in the linear part */
	unsigned long _skb_refdst;
	unsigned long _nfct; /* absent in kernels without connection tracking */
	unsigned char *head;
	unsigned char *data;
	unsigned int end; /* from head */
};

/* Sixteen bytes of anything: their length is the same in all kernels. */
struct in6_addr___bytes {
	__u8 in6_u[16];
};

union nf_inet_addr {
	__be32 all[4];
};

struct nf_conntrack_man {
	union nf_inet_addr u3;
	union {
		__be16 all;
	} u;
};

struct nf_conntrack_tuple {
	struct nf_conntrack_man src;
	struct {
		union nf_inet_addr u3;
		union {
			__be16 all;
		} u;
	} dst;
};

struct nf_conntrack_tuple_hash {
	struct nf_conntrack_tuple tuple;
};

struct nf_conn {
	struct nf_conntrack_tuple_hash tuplehash[2]; /* by direction, as packets come: 0 is that of the opening */
};

#pragma clang attribute pop

/* The context of netfilter programs. Not relocated: the verifier checks accesses by these offsets. */
struct bpf_nf_ctx {
	const struct nf_hook_state *state;
	struct sk_buff *skb;
};

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *bytes) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *bytes, __u32 offset, void *buffer, __u32 size) __ksym;
extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym;

/* A pointer to a struct of the kernel, from a number that is one. Reading through a wrong one gives zeros. */
#define tt_kernel_struct(type, pointer) \
	((const type *)bpf_rdonly_cast((const void *)(pointer), bpf_core_type_id_kernel(type)))

#endif
