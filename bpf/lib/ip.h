/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Addresses as the stages compare them: two 64-bit halves. No maps, no policy. */
#ifndef TT_LIB_IP_H
#define TT_LIB_IP_H

#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <stdbool.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the halves of mapped IPv4 addresses are laid out for bpfel");

/* The bytes of a struct tt_address, aligned so that two comparisons settle equality. */
struct tt_ip {
	__u64 half[2];
};

/*
 * A 64-bit load from memory of another type, possibly misaligned (the IPv6 header follows 14 bytes of Ethernet).
 * The verifier accepts that in packets and map values where the CPU does, as x86-64 and arm64 do.
 */
typedef __u64 __attribute__((may_alias)) tt_any64;
typedef __u32 __attribute__((may_alias)) tt_any32;
typedef __u16 __attribute__((may_alias)) tt_any16;

/* ::ffff:0:0/96, upper half zero: where IPv4 lives. */
#define TT_MAPPED_LOW 0xffff0000U

static __always_inline struct tt_ip tt_ip_from_v4(__be32 address)
{
	return (struct tt_ip){ .half = { 0, (__u64)address << 32 | TT_MAPPED_LOW } };
}

static __always_inline struct tt_ip tt_ip_load(const void *address)
{
	const tt_any64 *half = address;

	return (struct tt_ip){ .half = { half[0], half[1] } };
}

static __always_inline bool tt_ip_equal(const struct tt_ip *ip, const void *address)
{
	const tt_any64 *half = address;

	return !((ip->half[0] ^ half[0]) | (ip->half[1] ^ half[1]));
}

static __always_inline bool tt_ip_is_mapped(const struct tt_ip *ip)
{
	return !ip->half[0] && (__u32)ip->half[1] == TT_MAPPED_LOW;
}

static __always_inline bool tt_ip_is_zero(const struct tt_ip *ip)
{
	return !(ip->half[0] | ip->half[1]);
}

/* Host order. Only for addresses that are mapped. */
static __always_inline __u32 tt_ip_v4(const struct tt_ip *ip)
{
	return bpf_ntohl((__u32)(ip->half[1] >> 32));
}

/* -1, 0 or 1: order of the addresses as big-endian bytes. */
static __always_inline int tt_ip_compare(const struct tt_ip *a, const struct tt_ip *b)
{
	__u64 left = bpf_be64_to_cpu(a->half[0]), right = bpf_be64_to_cpu(b->half[0]);

	if (left == right) {
		left = bpf_be64_to_cpu(a->half[1]);
		right = bpf_be64_to_cpu(b->half[1]);
	}
	return left < right ? -1 : left > right;
}

#endif
