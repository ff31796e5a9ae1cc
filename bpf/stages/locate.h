/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Which local endpoint, if any, is at the far end: one hash lookup, so only where the flow cache had no answer. */
#ifndef TT_STAGES_LOCATE_H
#define TT_STAGES_LOCATE_H

#include "maps/endpoint.h"
#include "abi/capture.h"
#include "lib/packet.h"

/* Sets peer_id, is_peer_ready and, if bpf_redirect_peer may deliver there, target. */
static __always_inline void tt_locate_address(struct tt_packet *packet, const struct tt_ip *address)
{
	const struct tt_endpoint *endpoint;
	const struct tt_local *local;
	struct tt_ip key = *address;

	local = bpf_map_lookup_elem(&tt_addresses, &key);
	if (!local)
		return;
	packet->peer_id = local->id;
	endpoint = tt_endpoint_at(local->slot);
	if (!endpoint || endpoint->id != local->id || !endpoint->ifindex)
		return;
	packet->is_peer_ready = endpoint->flags & TT_ENDPOINT_READY;
	packet->captures |= (endpoint->flags & TT_CAPTURE_BOTH) << TT_CAPTURE_PEER_SHIFT;
	if (packet->is_peer_ready && (endpoint->flags & TT_ENDPOINT_PEER_DELIVERY) &&
	    endpoint->ifindex != packet->ifindex) {
		packet->target = endpoint->ifindex;
		packet->target_slot = local->slot;
	}
}

static __always_inline enum tt_verdict tt_locate(struct tt_packet *packet)
{
	tt_locate_address(packet, &packet->destination);
	return TT_CONTINUE;
}

#endif
