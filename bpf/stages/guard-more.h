/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What is asked of frames whose source is not blocked: untracked lists of the host's policy, and the care for new TCP
 * connections. Nothing here may drop what the stack would have let through: what cannot be decided goes on to the stack.
 */
#ifndef TT_STAGES_GUARD_MORE_H
#define TT_STAGES_GUARD_MORE_H

#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>

#include "maps/guard.h"
#include "maps/packet.h"
#include "lib/packet.h"
#include "stages/extensions.h"
#include "stages/parse.h"
#include "stages/guard-count.h"
#include "stages/guard-lists.h"
#include "stages/syn-protect.h"

/* Whether the state asks for more than sources at all: one look. */
static __always_inline bool tt_guard_asks_more(void)
{
	const struct tt_guard_state *state = tt_guard_state_here();

	return state && state->flags;
}

/*
 * The frame's interface, if it is one on which more is done, and the frame is untagged IP for its own address. Other
 * frames may be for other interfaces: those of VLANs, of bridges, of guests.
 */
static __always_inline const struct tt_guard_interface *tt_guard_interface_of(struct xdp_md *frame, __be16 *ethertype)
{
	const __u32 ifindex = frame->ingress_ifindex;
	const struct tt_guard_interface *interface = bpf_map_lookup_elem(&tt_guard_ifaces, &ifindex);
	const __u8 *ethernet = tt_header(frame, 0, ETH_HLEN);

	if (!interface || !ethernet)
		return NULL;
	if (*(const tt_any32 *)ethernet != *(const tt_any32 *)interface->mac ||
	    *(const tt_any16 *)(ethernet + 4) != *(const tt_any16 *)(interface->mac + 4))
		return NULL;
	*ethertype = *(const tt_any16 *)(ethernet + 2 * ETH_ALEN);
	return interface;
}

/* Addresses, ports and protocol of a frame without options, extension headers and fragments. Others are the stack's. */
static __always_inline enum tt_verdict tt_guard_parse(struct xdp_md *frame, struct tt_packet *packet, __be16 ethertype)
{
	const struct tt_context context = { .skb = frame, .is_fast = true };

	__builtin_memset(packet, 0, sizeof(*packet));
	packet->hook = TT_HOOK_FROM_WIRE;
	packet->ifindex = frame->ingress_ifindex;
	packet->length = tt_frame_length(frame) - ETH_HLEN;
	if (ethertype == bpf_htons(ETH_P_IP))
		return tt_parse_ip(&context, packet, 4);
	return ethertype == bpf_htons(ETH_P_IPV6) ? tt_parse_ip(&context, packet, 6) : TT_DROP;
}

/* A global function: the verifier sees it once. Returns the XDP action. */
__noinline int tt_guard_more(struct xdp_md *frame)
{
	const struct tt_guard_state *state = tt_guard_state_here();
	struct tt_packet *packet = tt_packet_here();
	const struct tt_guard_interface *interface;
	__be16 ethertype;

	if (!state || !packet)
		return XDP_PASS;
	interface = tt_guard_interface_of(frame, &ethertype);
	if (!interface || tt_guard_parse(frame, packet, ethertype) != TT_CONTINUE)
		return XDP_PASS;
	if ((interface->flags & TT_GUARD_LISTS) && tt_guard_ask_lists(packet) == TT_DROP)
		return XDP_DROP;
	if ((interface->flags & TT_GUARD_SYN) && tt_is_opening(packet))
		return tt_syn_protect(frame, state, interface, packet);
	return XDP_PASS;
}

#endif
