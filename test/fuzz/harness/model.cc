// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// What stands before a connection: who sends, discovery, fragments, errors that cite another packet.
#include "model.h"

#include <cstring>

#include "model-packet.h"

namespace fuzz {

namespace {

// Multicast listener discovery; router and neighbour discovery from the link itself.
bool is_discovery(const Wire &wire)
{
	const uint8_t type = wire.tuple.icmp_type;
	const auto &from = wire.tuple.source.bytes, &to = wire.tuple.destination.bytes;
	const auto is_link_local = [](const std::array<uint8_t, 16> &bytes) {
		return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
	};

	if (wire.family != 6 || wire.tuple.protocol != 58 || wire.part != Part::Whole)
		return false;
	if (!(type >= 130 && type <= 132) && !((type == 133 || type == 135 || type == 136) && wire.hop_limit == 255))
		return false;
	return wire.tuple.source.is_zero() || is_link_local(from) || is_link_local(to) || (to[0] == 0xff && to[1] == 0x02);
}

} // namespace

std::optional<uint32_t> Model::join_fragment(Packet &packet)
{
	Wire &wire = packet.wire;
	const bool is_bare = !header_bytes(wire.tuple.protocol);
	const bool is_extension = wire.tuple.protocol == 0 || wire.tuple.protocol == 43 || wire.tuple.protocol == 44 ||
				  wire.tuple.protocol == 60;

	if (wire.part == Part::Whole || (wire.part == Part::Later && is_bare && !(wire.family == 6 && is_extension)))
		return {};
	const FragmentKey key{ wire.tuple.source, wire.tuple.destination, wire.fragment_id,
			       uint8_t(wire.family == 4 ? wire.tuple.protocol : 0) };
	if (wire.part == Part::First) {
		firsts_[key] = { packet.place.jiffies, wire };
		return {};
	}
	const auto first = firsts_.find(key);
	if (first == firsts_.end() || packet.place.jiffies - first->second.seen > 30 * kSecond)
		return TT_REASON_DROP_FRAGMENT_ORPHAN;
	wire.tuple = first->second.wire.tuple;
	wire.echo = first->second.wire.echo;
	wire.is_echo = first->second.wire.is_echo;
	if (wire.fragment_offset < header_bytes(wire.tuple.protocol))
		return TT_REASON_DROP_MALFORMED;
	return {};
}

bool Model::is_cited(const Packet &packet)
{
	const auto cited = read_cited(packet.frame, packet.size, packet.wire);

	if (!cited || cited->tuple.source != packet.wire.tuple.destination)
		return false;
	if (packet.place.is_from_workload && cited->tuple.destination != packet.wire.tuple.source)
		return false;
	const Connection *connection = find(key_of(*cited, kind_of(*cited)), packet.place.jiffies);
	return connection && !connection->is_revoked &&
	       (connection->generation == generation || settings.keeps_established);
}

Expected Model::follow(const Wire &wire, const uint8_t *frame, size_t size, const Place &place, const Outcome &outcome)
{
	Packet packet{ wire, frame, size, place, outcome };
	Expected expected;

	if (place.endpoint < 0 || !(endpoints[place.endpoint].flags & TT_ENDPOINT_READY))
		return { TT_REASON_DROP_NOT_READY };
	const Endpoint &here = endpoints[place.endpoint];
	if (place.is_from_workload && (here.flags & TT_ENDPOINT_MAC_CHECK) && memcmp(place.source_mac, here.mac, 6))
		return { TT_REASON_DROP_SPOOFED_MAC };
	if (wire.is_refused) {
		expected.is_any_parse_reason = true;
		return expected;
	}
	if (wire.is_arp || is_discovery(wire))
		return { TT_REASON_ALLOWED_NEIGHBOUR };
	if (place.is_from_workload && !here.may_send_from(wire.tuple.source))
		return { TT_REASON_DROP_SPOOFED_ADDRESS };
	if (const auto reason = join_fragment(packet))
		return { *reason };
	expected.reason = pass(packet);
	expected.is_logged = packet.is_logged;
	expected.is_log_known = packet.is_log_known;
	return expected;
}

} // namespace fuzz
