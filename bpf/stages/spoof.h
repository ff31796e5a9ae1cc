/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* A workload sends from its own MAC and addresses, or from prefixes it was given. Only from_workload. */
#ifndef TT_STAGES_SPOOF_H
#define TT_STAGES_SPOOF_H

#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>

#include "maps/endpoint.h"
#include "abi/event.h"
#include "lib/packet.h"

enum tt_source_dims {
	TT_SOURCE_KEY_BITS = 32 + 128, /* endpoint id, then the whole address */
};

/* The 16 bits of alignment-safe MAC comparison: 4 bytes, then 2. */
static __always_inline bool tt_mac_equal(const __u8 *a, const __u8 *b)
{
	return *(const tt_any32 *)a == *(const tt_any32 *)b && *(const tt_any16 *)(a + 4) == *(const tt_any16 *)(b + 4);
}

/* Every frame, ARP included. */
static __always_inline enum tt_verdict tt_spoof_mac(const struct tt_context *context, struct tt_packet *packet)
{
	const struct ethhdr *ethernet;

	if (!(context->endpoint->flags & TT_ENDPOINT_MAC_CHECK))
		return TT_CONTINUE;
	ethernet = tt_header(context->skb, 0, sizeof(*ethernet));
	if (!ethernet)
		return tt_drop(packet, TT_REASON_DROP_TRUNCATED);
	if (!tt_mac_equal(ethernet->h_source, context->endpoint->mac))
		return tt_drop(packet, TT_REASON_DROP_SPOOFED_MAC);
	return TT_CONTINUE;
}

static __always_inline bool tt_has_source(const struct tt_context *context, const struct tt_packet *packet)
{
	const struct tt_ip source = packet->source;
	struct tt_source_key key = {
		.prefix_length = TT_SOURCE_KEY_BITS,
		.endpoint_id = bpf_htonl(context->endpoint->id),
	};
	const __u32 *may;

	__builtin_memcpy(&key.address, &source, sizeof(key.address));
	may = bpf_map_lookup_elem(&tt_sources, &key);
	return may && *may;
}

/* The endpoint's address of a family it lacks is zero, which as a source (::) is nobody's. */
static __always_inline enum tt_verdict tt_spoof_address(const struct tt_context *context, struct tt_packet *packet)
{
	const struct tt_endpoint *endpoint = context->endpoint;
	const struct tt_address *own = packet->family == 4 ? &endpoint->v4 : &endpoint->v6;

	if (tt_ip_equal(&packet->source, own) && !tt_ip_is_zero(&packet->source))
		return TT_CONTINUE;
	if ((endpoint->flags & TT_ENDPOINT_MORE_SOURCES) && tt_has_source(context, packet))
		return TT_CONTINUE;
	return tt_drop(packet, TT_REASON_DROP_SPOOFED_ADDRESS);
}

#endif
