// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Traffic for measurements: frames leave through tt_live and tt_send in the namespaces of the guests, and arrive at tt_arrive there, or
 * at tt_arrive_at_socket in the router's.
 * Nothing of the dataplane is in here.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "lib/ip.h"

enum tt_traffic {
	TT_FRAME_WORDS = 10,
	TT_FRAMES = 256,
	/* Each packet of a flow carries the flow's number: in the identification of IPv4, in the flow label of IPv6. */
	TT_TAG_AT_V4 = ETH_HLEN + 4,
	TT_TAG_AT_V6 = ETH_HLEN + 2,
	TT_TAGS = 65536,
};

/* Frames to send in turn: the interface to send through and, 32 bits up, which frame is next; then the frame's bytes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TT_FRAMES);
	__type(key, __u32);
	__type(value, __u64[1 + TT_FRAME_WORDS]);
} tt_frames SEC(".maps");

/* By flow number: the MAC that its last packet arrived at. In entry 0 the number of all arrivals. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TT_TAGS);
	__type(key, __u32);
	__type(value, __u64);
} tt_arrivals SEC(".maps");

/* One CPU sends. */
static __u32 tt_next_frame;

/* Raw material for tt_send: the kernel makes a packet of it, on the loopback interface. */
SEC("xdp")
int tt_live(struct xdp_md *frame)
{
	return XDP_PASS;
}

/* On loopback's ingress. The path rewrote the frame when it was sent the last time, so all of it is written. */
SEC("tc")
int tt_send(struct __sk_buff *skb)
{
	const __u32 index = tt_next_frame;
	const __u64 *words = bpf_map_lookup_elem(&tt_frames, &index);
	const tt_any64 *end = (void *)(long)skb->data_end;
	tt_any64 *packet = (void *)(long)skb->data;

	if (!words)
		return TC_ACT_SHOT;
	tt_next_frame = words[0] >> 32;
	for (int i = 0; i < TT_FRAME_WORDS && packet + 1 <= end; i++)
		*packet++ = words[1 + i];
	return (int)bpf_redirect((__u32)words[0], 0);
}

/* 0: none of the packets that are counted. */
static __always_inline __u32 tt_tag(const struct ethhdr *frame, const void *end)
{
	const __u8 *at = (const void *)frame;

	if (frame->h_proto == bpf_htons(ETH_P_IP))
		at += TT_TAG_AT_V4;
	else if (frame->h_proto == bpf_htons(ETH_P_IPV6))
		at += TT_TAG_AT_V6;
	else
		return 0;
	return (const void *)(at + 2) > end ? 0 : (__u32)at[0] << 8 | at[1];
}

/* On ingress of a guest's interface: counts the packet and ends its way. */
SEC("tc")
int tt_arrive(struct __sk_buff *skb)
{
	const struct ethhdr *frame = (void *)(long)skb->data;
	const void *end = (void *)(long)skb->data_end;
	const __u32 all = 0;
	__u64 *count, *mac;
	__u32 tag;

	if ((const void *)(frame + 1) > end)
		return TC_ACT_OK;
	tag = tt_tag(frame, end);
	count = bpf_map_lookup_elem(&tt_arrivals, &all);
	mac = bpf_map_lookup_elem(&tt_arrivals, &tag);
	if (!tag || !count || !mac)
		return TC_ACT_OK;
	__builtin_memcpy(mac, frame->h_dest, ETH_ALEN);
	(*count)++;
	return TC_ACT_SHOT;
}

/* On a socket: counts the datagram and ends its way. Who binds the socket says which are counted. */
SEC("socket")
int tt_arrive_at_socket(struct __sk_buff *skb)
{
	const __u32 all = 0;
	__u64 *count = bpf_map_lookup_elem(&tt_arrivals, &all);

	if (count)
		(*count)++;
	return 0;
}

/* What running any program costs. */
SEC("tc")
int tt_empty(struct __sk_buff *skb)
{
	return TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
