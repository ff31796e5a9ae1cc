/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* How many TCP connections were begun lately: by source, and by who listens. Of no interest to user space but for the ports. */
#ifndef TT_MAPS_SYN_H
#define TT_MAPS_SYN_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi/common.h"
#include "abi/guard.h"

/* A listening socket, or a group of them that share what the kernel remembers of a flood. */
struct tt_syn_listener {
	__u32 address[4]; /* zero = any */
	__u32 bound_ifindex;
	__u16 port; /* host order */
	__u8 family;
	__u8 _pad[1];
};

/* Counters: in the upper half which second it is, in the lower how many came in it. */

/* By hash. Whoever floods from many addresses displaces nobody here: there is nothing to displace. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TT_GUARD_SOURCES);
	__type(key, __u32);
	__type(value, __u64);
} tt_syn_sources SEC(".maps");

/* Nobody outside can make an entry: sockets of this host do. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct tt_syn_listener);
	__type(value, __u64);
} tt_syn_listeners SEC(".maps");

/* Ports that are protected, a bit each. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TT_GUARD_PORT_WORDS);
	__type(key, __u32);
	__type(value, __u64);
} tt_syn_ports SEC(".maps");

#endif
