// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * C's half of the round trip: for each struct of bpf/abi a program that reads every field by name into a list of
 * numbers, and one that writes every field by name from a list. round-trip.test.ts is TypeScript's half.
 */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi/capture.h"
#include "abi/common.h"
#include "abi/endpoint.h"
#include "abi/event.h"
#include "abi/flow.h"
#include "abi/guard.h"
#include "abi/heap.h"
#include "abi/host.h"
#include "abi/takeover.h"

struct exchange {
	__u64 count;
	__u64 numbers[1024];
	__u8 bytes[4096];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct exchange);
} exchange SEC(".maps");

/* The visitors. x is the exchange, n the index of the next number. */
#define GET(field) x->numbers[n++] = (field);
#define GET_BE16(field) x->numbers[n++] = bpf_ntohs(field);
#define GET_BE32(field) x->numbers[n++] = bpf_ntohl(field);
#define PUT(field) (field) = x->numbers[n++];
#define PUT_BE16(field) (field) = bpf_htons((__u16)x->numbers[n++]);
#define PUT_BE32(field) (field) = bpf_htonl((__u32)x->numbers[n++]);

/* One list of fields for each struct, in the order of their offsets; V, V16, V32 visit host and network order. */
#define EACH(count, visit)                                                                                             \
	for (int i = 0; i < (count); i++)                                                                              \
		visit
#define FIELDS_tt_address(V, V16, V32, s) EACH(4, V32((s).word[i]))
#define FIELDS_tt_heap_block(V, V16, V32, s) EACH(1024, V((s).word[i]))
#define FIELDS_tt_v6_node(V, V16, V32, s)                                                                              \
	EACH(4, V32((s).mask[i]))                                                                                      \
	EACH(4, V32((s).value[i]))                                                                                     \
	V((s).miss) V((s).byte_index) EACH(256, V((s).entry[i]))
#define FIELDS_tt_root(V, V16, V32, s)                                                                                 \
	V((s).v4_root)                                                                                                 \
	V((s).v6_root)                                                                                                 \
	V((s).l4_classes) V((s).source_classes) V((s).policies) V((s).generation) V((s).directory) V((s).directory_regions)
#define FIELDS_tt_state(V, V16, V32, s)                                                                                \
	V((s).active)                                                                                                  \
	V((s).flags)                                                                                                   \
	V((s).hz)                                                                                                      \
	V((s).event_budget)                                                                                            \
	V((s).stamp)                                                                                                   \
	V((s).reset_mark)                                                                                              \
	V((s).flow_seed)                                                                                               \
	FIELDS_tt_root(V, V16, V32, (s).root[0]) FIELDS_tt_root(V, V16, V32, (s).root[1])
#define FIELDS_tt_endpoint(V, V16, V32, s)                                                                             \
	V((s).ifindex)                                                                                                 \
	V((s).flags)                                                                                                   \
	V((s).id)                                                                                                      \
	V((s).mtu)                                                                                                     \
	EACH(6, V((s).mac[i]))                                                                                         \
	EACH(6, V((s).host_mac[i])) FIELDS_tt_address(V, V16, V32, (s).v4) FIELDS_tt_address(V, V16, V32, (s).v6)
#define FIELDS_tt_source_key(V, V16, V32, s)                                                                           \
	V((s).prefix_length) V32((s).endpoint_id) FIELDS_tt_address(V, V16, V32, (s).address)
#define FIELDS_tt_local(V, V16, V32, s) V((s).slot) V((s).id)
#define FIELDS_tt_flow_key(V, V16, V32, s)                                                                             \
	FIELDS_tt_address(V, V16, V32, (s).address[0]) FIELDS_tt_address(V, V16, V32, (s).address[1])                  \
	V16((s).port[0]) V16((s).port[1]) V((s).protocol) V((s).kind)
#define FIELDS_tt_flow(V, V16, V32, s)                                                                                 \
	V((s).generation)                                                                                              \
	V((s).state)                                                                                                   \
	V((s).flags)                                                                                                   \
	V((s).host_reason)                                                                                             \
	V((s).tcp_flags)                                                                                               \
	V((s).egress_word)                                                                                             \
	V((s).ingress_word)                                                                                            \
	V((s).created_jiffies)                                                                                         \
	V((s).seen_jiffies)                                                                                            \
	V((s).packets[0]) V((s).packets[1]) V((s).bytes[0]) V((s).bytes[1])                           \
	V((s).host_generation) V((s).host_word) V((s).told)
#define FIELDS_tt_flow_bucket(V, V16, V32, s) EACH(16, V((s).tag[i])) EACH(16, V((s).entry[i]))
#define FIELDS_tt_flow_entry(V, V16, V32, s)                                                                           \
	FIELDS_tt_flow_key(V, V16, V32, (s).key)                                                                       \
	V((s).named_by) V((s).deadline) FIELDS_tt_flow(V, V16, V32, (s).flow)
#define FIELDS_tt_fragment_key(V, V16, V32, s)                                                                         \
	FIELDS_tt_address(V, V16, V32, (s).source) FIELDS_tt_address(V, V16, V32, (s).destination)                     \
	V32((s).identification) V((s).protocol)
#define FIELDS_tt_fragment(V, V16, V32, s)                                                                             \
	V((s).seen_jiffies)                                                                                            \
	V16((s).source_port) V16((s).destination_port) V((s).icmp_type) V((s).icmp_code) V((s).protocol)
#define FIELDS_tt_cached_flow(V, V16, V32, s)                                                                          \
	FIELDS_tt_address(V, V16, V32, (s).source) FIELDS_tt_address(V, V16, V32, (s).destination)                     \
	V16((s).source_port) V16((s).destination_port) V((s).protocol) V((s).kind) V((s).hook) V((s).reply)            \
	V((s).ifindex) V((s).stamp) V((s).target) V((s).target_slot) V((s).link) V((s).synced_jiffies)                \
	V((s).packets) V((s).bytes) V((s).egress_word) V((s).ingress_word)
#define FIELDS_tt_flow_told(V, V16, V32, s)                                                                            \
	V((s).created_jiffies)                                                                                         \
	V((s).key_hash)                                                                                                \
	V((s).packets[0]) V((s).packets[1]) V((s).bytes[0]) V((s).bytes[1]) V((s).egress_word) V((s).ingress_word)     \
	V((s).since) V((s).state) V((s).flags)
#define FIELDS_tt_flow_report(V, V16, V32, s)                                                                          \
	FIELDS_tt_flow_key(V, V16, V32, (s).key)                                                                       \
	V((s).egress_word) V((s).ingress_word) V((s).host_word) V((s).phase) V((s).state) V((s).flags) V((s).tcp_flags) \
	V((s).created_jiffies) V((s).since_jiffies) V((s).until_jiffies)                                               \
	V((s).packets[0]) V((s).packets[1]) V((s).bytes[0]) V((s).bytes[1])
#define FIELDS_tt_flow_event(V, V16, V32, s)                                                                           \
	V((s).jiffies)                                                                                                 \
	V((s).kind)                                                                                                    \
	V((s).place) FIELDS_tt_flow_key(V, V16, V32, (s).key) FIELDS_tt_flow(V, V16, V32, (s).flow)
#define FIELDS_tt_guard_match(V, V16, V32, s)                                                                          \
	EACH(4, V32((s).mask[i])) EACH(4, V32((s).value[i])) V((s).hit) V((s).miss)
#define FIELDS_tt_guard_root(V, V16, V32, s) V((s).v4) V((s).v6)
#define FIELDS_tt_guard_state(V, V16, V32, s)                                                                          \
	V((s).active)                                                                                                  \
	FIELDS_tt_guard_root(V, V16, V32, (s).root[0])                                                                 \
	FIELDS_tt_guard_root(V, V16, V32, (s).root[1])                                                                 \
	V((s).flags) V((s).syn_source) V((s).syn_listener) EACH(2, V((s).seed[i]))
#define FIELDS_tt_guard_interface(V, V16, V32, s) V((s).flags) V((s).mtu) EACH(6, V((s).mac[i]))
#define FIELDS_tt_counter(V, V16, V32, s) V((s).packets) V((s).bytes)
#define FIELDS_tt_clock_reading(V, V16, V32, s) V((s).jiffies) V((s).monotonic_ns)
#define FIELDS_tt_event(V, V16, V32, s)                                                                                \
	V((s).jiffies)                                                                                                 \
	V((s).kind)                                                                                                    \
	V((s).reason)                                                                                                  \
	V((s).hook)                                                                                                    \
	V((s).protocol)                                                                                                \
	V((s).ifindex)                                                                                                 \
	FIELDS_tt_address(V, V16, V32, (s).source) FIELDS_tt_address(V, V16, V32, (s).destination)                     \
	V16((s).source_port) V16((s).destination_port) V((s).icmp_type) V((s).icmp_code) V((s).tcp_flags)              \
	V((s).family) V((s).egress_word) V((s).ingress_word) V((s).generation) V((s).length)                   \
	V((s).out_ifindex) V((s).egress_scope) V((s).ingress_scope) V((s).is_reply)
#define FIELDS_tt_capture_settings(V, V16, V32, s) V((s).bytes) V((s).budget)
#define FIELDS_tt_capture_counts(V, V16, V32, s)                                                                       \
	V((s).since_jiffies) V((s).spent) V((s).captured) V((s).suppressed) V((s).lost)
#define FIELDS_tt_packet_event(V, V16, V32, s)                                                                         \
	FIELDS_tt_event(V, V16, V32, (s).event)                                                                        \
	V((s).monotonic_ns) V((s).length) V((s).captured) V((s).link) V((s).is_denied)
#define FIELDS_tt_switch(V, V16, V32, s)                                                                               \
	V((s).active)                                                                                                  \
	EACH(2, V((s).version[i]))                                                                                     \
	EACH(2, V((s).number[i]))                                                                                      \
	V((s).takeovers) V((s).generation) V((s).flow_seed) EACH(6, V((s).reserved[i]))
#define FIELDS_tt_host_lists(V, V16, V32, s) V((s).flags) EACH(4, V((s).id[i]))
#define FIELDS_tt_host_interface(V, V16, V32, s)                                                                       \
	V((s).ifindex) FIELDS_tt_host_lists(V, V16, V32, (s).lists[0]) FIELDS_tt_host_lists(V, V16, V32, (s).lists[1])
#define FIELDS_tt_host_test(V, V16, V32, s)                                                                            \
	V((s).in_ifindex)                                                                                              \
	V((s).out_ifindex) V((s).has_original) EACH(4, V32((s).original[i])) V16((s).original_port)

#define ROUND_TRIP(type)                                                                                               \
	SEC("tc") int read_##type(struct __sk_buff *skb)                                                               \
	{                                                                                                              \
		__u32 zero = 0, n = 0;                                                                                 \
		struct exchange *x = bpf_map_lookup_elem(&exchange, &zero);                                            \
		if (!x)                                                                                                \
			return 1;                                                                                      \
		const struct type *s = (const void *)x->bytes;                                                         \
		FIELDS_##type(GET, GET_BE16, GET_BE32, *s) x->count = n;                                               \
		return 0;                                                                                              \
	}                                                                                                              \
	SEC("tc") int write_##type(struct __sk_buff *skb)                                                              \
	{                                                                                                              \
		__u32 zero = 0, n = 0;                                                                                 \
		struct exchange *x = bpf_map_lookup_elem(&exchange, &zero);                                            \
		if (!x)                                                                                                \
			return 1;                                                                                      \
		struct type *s = (void *)x->bytes;                                                                     \
		FIELDS_##type(PUT, PUT_BE16, PUT_BE32, *s) x->count = n;                                               \
		return 0;                                                                                              \
	}

ROUND_TRIP(tt_address)
ROUND_TRIP(tt_heap_block)
ROUND_TRIP(tt_v6_node)
ROUND_TRIP(tt_root)
ROUND_TRIP(tt_state)
ROUND_TRIP(tt_endpoint)
ROUND_TRIP(tt_source_key)
ROUND_TRIP(tt_local)
ROUND_TRIP(tt_flow_key)
ROUND_TRIP(tt_flow)
ROUND_TRIP(tt_flow_entry)
ROUND_TRIP(tt_flow_bucket)
ROUND_TRIP(tt_fragment_key)
ROUND_TRIP(tt_fragment)
ROUND_TRIP(tt_cached_flow)
ROUND_TRIP(tt_flow_told)
ROUND_TRIP(tt_flow_report)
ROUND_TRIP(tt_counter)
ROUND_TRIP(tt_clock_reading)
ROUND_TRIP(tt_event)
ROUND_TRIP(tt_flow_event)
ROUND_TRIP(tt_guard_match)
ROUND_TRIP(tt_guard_root)
ROUND_TRIP(tt_guard_state)
ROUND_TRIP(tt_guard_interface)
ROUND_TRIP(tt_host_lists)
ROUND_TRIP(tt_host_interface)
ROUND_TRIP(tt_host_test)
ROUND_TRIP(tt_capture_settings)
ROUND_TRIP(tt_capture_counts)
ROUND_TRIP(tt_packet_event)
ROUND_TRIP(tt_switch)

char _license[] SEC("license") = "GPL";
