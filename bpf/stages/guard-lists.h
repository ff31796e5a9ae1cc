/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Untracked lists of the host's policy, asked before the stack. The host's hooks ask them again: nothing depends on whether
 * this is there, but for what a denied packet costs.
 */
#ifndef TT_STAGES_GUARD_LISTS_H
#define TT_STAGES_GUARD_LISTS_H

#include "maps/event.h"
#include "maps/heap.h"
#include "maps/host.h"
#include "maps/packet.h"
#include "abi/event.h"
#include "abi/host.h"
#include "lib/packet.h"
#include "stages/neighbour.h"
#include "stages/classify.h"
#include "stages/report.h"

/* Without the tables of the host's policy there is nobody to ask, and none of this is in the program. */
const volatile __u32 tt_guard_has_lists = 0;

/* The lists in force at an interface: its own, or those for all others. */
static __always_inline const struct tt_host_lists *tt_guard_lists_of(__u32 ifindex, __u32 root_number)
{
	const struct tt_host_interface *interface;
	__u32 slot;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < TT_HOST_PROBES; i++) {
		slot = (ifindex + i) & (tt_host_slots - 1);
		interface = bpf_map_lookup_elem(&tt_host_ifaces, &slot);
		if (interface && interface->ifindex == ifindex)
			return root_number ? &interface->lists[1] : &interface->lists[0];
	}
	slot = tt_host_slots;
	interface = bpf_map_lookup_elem(&tt_host_ifaces, &slot);
	if (!interface)
		return NULL;
	return root_number ? &interface->lists[1] : &interface->lists[0];
}

/* TT_DROP: denied and reported. All else is the stack's, a hole of the tables too: it says what that means. */
static __always_inline enum tt_verdict tt_guard_ask_lists(struct tt_packet *packet)
{
	const struct tt_state *state;
	const struct tt_host_lists *lists;
	const struct tt_root *root;
	__u32 root_number;

	if (!tt_guard_has_lists)
		return TT_CONTINUE;
	state = tt_state_here();
	if (!state || tt_neighbour(packet) != TT_CONTINUE)
		return TT_CONTINUE;
	root_number = *(const volatile __u32 *)&state->active & 1;
	lists = tt_guard_lists_of(packet->ifindex, root_number);
	if (!lists || (lists->flags & (TT_HOST_UNTRACKED | TT_HOST_WORKLOAD)) != TT_HOST_UNTRACKED)
		return TT_CONTINUE;
	root = root_number ? &state->root[1] : &state->root[0];
	packet->ingress_word = tt_classify(root, packet, lists->id[TT_SCOPE_UNTRACKED - 1], true, false);
	if (!(packet->ingress_word & TT_WORD_DENY))
		return TT_CONTINUE;
	packet->ingress_scope = TT_SCOPE_UNTRACKED;
	packet->generation = root->generation;
	packet->jiffies = bpf_jiffies64();
	packet->reason = TT_REASON_DROP_UNTRACKED;
	tt_report(packet);
	return TT_DROP;
}

#endif
