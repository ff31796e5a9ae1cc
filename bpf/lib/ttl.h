/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What forwarding does to an IPv4 header. No maps, no policy. */
#ifndef TT_LIB_TTL_H
#define TT_LIB_TTL_H

#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* One hop less, checksum kept right incrementally (RFC 1141, as the kernel's ip_decrease_ttl). */
static __always_inline void tt_decrease_ttl(struct iphdr *ip)
{
	__u32 check = (__u32)ip->check + (__u32)bpf_htons(0x0100);

	ip->check = (__u16)(check + (check >= 0xffff));
	ip->ttl--;
}

#endif
