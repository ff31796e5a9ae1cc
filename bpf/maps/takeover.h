/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Which programs judge while one layout takes over from another. Written by user space only. */
#ifndef TT_MAPS_TAKEOVER_H
#define TT_MAPS_TAKEOVER_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi/common.h"
#include "abi/takeover.h"

/* Which side is in force, and what both have in common. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tt_switch);
} tt_switch SEC(".maps");

/* Programs of both sides. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2 * TT_SIDE_ROOM);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} tt_sides SEC(".maps");

#endif
