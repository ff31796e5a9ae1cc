/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What Log rules of lists that decided nothing have to say: their words are not those that the packet ends with. */
#ifndef TT_STAGES_HOST_REPORT_H
#define TT_STAGES_HOST_REPORT_H

#include "maps/packet.h"
#include "abi/event.h"
#include "abi/host.h"
#include "lib/packet.h"

static __always_inline void tt_host_report_log(struct tt_packet *packet, __u32 word, __u8 scope, bool is_ingress,
					       bool is_reply)
{
	packet->is_reply = is_reply;
	packet->egress_word = is_ingress ? 0 : word;
	packet->ingress_word = is_ingress ? word : 0;
	packet->egress_scope = scope;
	packet->ingress_scope = scope;
	tt_event_send_limited(packet, TT_EVENT_LOG);
}

/*
 * Behind tt_report, for the packet's words are lost here. Untracked lists see every packet, each in its own direction, preDnat
 * lists connections: what one says again of a known connection is no news.
 */
static __always_inline void tt_host_report_passed(struct tt_packet_place *place)
{
	struct tt_packet *packet = &place->packet;
	const __u8 kind = tt_event_kind(packet->reason);
	const bool is_reply = packet->is_reply;

	if (place->untracked_log)
		tt_host_report_log(packet, place->untracked_log, TT_SCOPE_UNTRACKED, packet->hook != TT_HOOK_FROM_HOST,
				   false);
	if (place->pre_dnat_log && (kind == TT_EVENT_NEW_FLOW || kind == TT_EVENT_DENIED))
		tt_host_report_log(packet, place->pre_dnat_log, TT_SCOPE_PRE_DNAT, true, is_reply);
}

#endif
