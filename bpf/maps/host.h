/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The host's interfaces. Written by user space only, through mmap. */
#ifndef TT_MAPS_HOST_H
#define TT_MAPS_HOST_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi/common.h"
#include "abi/host.h"

/* Slots of tt_host_ifaces: a power of two. The entry for all other interfaces is behind them. */
const volatile __u32 tt_host_slots = 1024;

/* Interfaces by ifindex: an open-addressed table in an array, because the JIT inlines array lookups. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1025);
	__type(key, __u32);
	__type(value, struct tt_host_interface);
} tt_host_ifaces SEC(".maps");

#endif
