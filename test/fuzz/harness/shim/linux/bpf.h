/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Found before the kernel's own: contexts as a program sees them, but with pointers of this machine's width.
 * The fields are those that the programs read; one more is a compile error here, and must then be added.
 */
#ifndef TT_SHIM_LINUX_BPF_H
#define TT_SHIM_LINUX_BPF_H

#define __sk_buff tt_uapi_sk_buff
#define xdp_md tt_uapi_xdp_md
#include_next <linux/bpf.h>
#undef __sk_buff
#undef xdp_md

struct __sk_buff {
	__u64 data;
	__u64 data_end;
	__u32 len;
	__u32 pkt_type;
	__u32 ifindex;
	__u32 ingress_ifindex;
	__u32 vlan_present;
	__u32 gso_size;
	__u32 mark;
};

struct xdp_md {
	__u64 data;
	__u64 data_end;
};

#endif
