/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Packets on their way to whoever captures them. */
#ifndef TT_MAPS_CAPTURE_H
#define TT_MAPS_CAPTURE_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi/capture.h"

/* struct tt_packet_event records: apart from tt_events, so that no capture costs an event. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} tt_captures SEC(".maps");

/* What is captured of a packet. Written by user space only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tt_capture_settings);
} tt_capture_set SEC(".maps");

/* What was captured and what was not. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tt_capture_counts);
} tt_capture_cpus SEC(".maps");

#endif
