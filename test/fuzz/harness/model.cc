// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include "model.h"

#include <cstring>
#include <tuple>

namespace fuzz {

namespace {

constexpr uint8_t kFin = 1, kSyn = 2, kRst = 4, kAck = 16;
constexpr uint64_t kSecond = FUZZ_HZ;

bool is_reply_type(const Wire &wire)
{
	bool is_reply;

	return is_echo_type(wire.tuple.protocol, wire.tuple.icmp_type, wire.tuple.icmp_code, &is_reply) && is_reply;
}

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

bool is_error(const Wire &wire)
{
	const uint8_t type = wire.tuple.icmp_type;

	if (wire.part != Part::Whole)
		return false;
	if (wire.family == 4)
		return wire.tuple.protocol == 1 && (type == 3 || type == 11 || type == 12);
	return wire.tuple.protocol == 58 && type >= 1 && type <= 4;
}

uint64_t seconds_to_live(uint8_t protocol, int state)
{
	if (protocol == 6)
		return state == 2 ? 3600 : 60;
	if (protocol == 17 || protocol == 136)
		return state == 0 ? 60 : 180;
	return is_icmp(protocol) ? 10 : 600;
}

Question turned(const Question &question)
{
	Question result = question;
	bool is_reply;

	std::swap(result.source, result.destination);
	std::swap(result.source_port, result.destination_port);
	if (is_echo_type(result.protocol, result.icmp_type, result.icmp_code, &is_reply))
		result.icmp_type = result.protocol == 1 ? 8 : 128;
	return result;
}

} // namespace

struct Model::Packet {
	Wire wire;
	const uint8_t *frame;
	size_t size;
	const Place &place;
	const Outcome &outcome;
	Kind kind = Kind::Ports;
	Answer egress = Answer::None, ingress = Answer::None; // words that the packet ends with
	bool is_opened_by_host = false;
	bool is_logged = false, is_log_known = true;
};

Kind kind_of(const Wire &wire)
{
	bool is_reply;

	if (has_ports(wire.tuple.protocol))
		return Kind::Ports;
	if (!is_icmp(wire.tuple.protocol))
		return Kind::Protocol;
	return is_echo_type(wire.tuple.protocol, wire.tuple.icmp_type, wire.tuple.icmp_code, &is_reply) ? Kind::Echo :
													  Kind::OtherIcmp;
}

Key key_of(const Wire &wire, Kind kind)
{
	uint16_t source = wire.tuple.source_port, destination = wire.tuple.destination_port;
	bool is_swapped = std::tie(wire.tuple.source, source) > std::tie(wire.tuple.destination, destination);
	Key key;

	if (kind == Kind::Echo) {
		source = destination = wire.echo;
		is_swapped = is_reply_type(wire);
	} else if (kind == Kind::OtherIcmp) {
		source = wire.tuple.icmp_type;
		destination = wire.tuple.icmp_code;
		is_swapped = false;
	}
	const uint16_t low = is_swapped ? destination : source, high = is_swapped ? source : destination;
	key.address[0] = is_swapped ? wire.tuple.destination : wire.tuple.source;
	key.address[1] = is_swapped ? wire.tuple.source : wire.tuple.destination;
	key.port[0][0] = low >> 8;
	key.port[0][1] = low;
	key.port[1][0] = high >> 8;
	key.port[1][1] = high;
	key.protocol = wire.tuple.protocol;
	key.kind = kind;
	return key;
}

int Model::owner_of(const Address &address) const
{
	for (size_t index = 0; index < endpoints.size(); index++)
		if (endpoints[index].has_address && endpoints[index].owns(address))
			return index;
	return -1;
}

bool Model::is_expired(const Key &key, const Connection &connection, uint64_t now) const
{
	return now - connection.seen > kSecond * seconds_to_live(key.protocol, connection.state);
}

Connection *Model::find(const Key &key, uint64_t now)
{
	const auto found = connections.find(key);

	if (found == connections.end() || is_expired(key, found->second, now))
		return nullptr;
	return &found->second;
}

// The reference evaluator judges by who owns the local address; for any other address it was not asked.
Answer Model::side(Packet &packet, int endpoint, bool is_ingress, const Question &question)
{
	const Sides sides = world_.answer(policy, question);
	const Address &local = is_ingress ? question.destination : question.source;
	const bool is_owner = endpoints[endpoint].owns(local);
	Answer answer = !is_owner ? Answer::Unknown : is_ingress ? sides.ingress : sides.egress;
	const uint32_t word = is_ingress ? packet.outcome.ingress_word : packet.outcome.egress_word;

	if (packet.outcome.reason == TT_REASON_ALLOWED_CACHED)
		fuzz_fail("the flow cache answered although policy has to be asked");
	if (answer == Answer::None)
		fuzz_fail("the exported world does not know the owner of a local address");
	if (answer == Answer::Unknown) {
		packet.is_log_known = false;
		if (!(word & (TT_WORD_ALLOW | TT_WORD_DENY)))
			fuzz_fail("endpoint %d, %s: not judged, or by a hole (word %#x)", endpoint,
				  is_ingress ? "ingress" : "egress", word);
		answer = word & TT_WORD_DENY ? Answer::Deny : Answer::Allow;
		const auto [said, is_new] = said_.try_emplace({ policy, endpoint, is_ingress, question }, answer);
		if (!is_new && said->second != answer)
			fuzz_fail("endpoint %d, %s: the same question got two answers", endpoint,
				  is_ingress ? "ingress" : "egress");
	} else {
		packet.is_logged |= is_ingress ? sides.is_ingress_logged : sides.is_egress_logged;
	}
	(is_ingress ? packet.ingress : packet.egress) = answer;
	return answer;
}

// The packet opens a connection. 0 = allowed, else why not.
uint32_t Model::judge(Packet &packet)
{
	const int here = packet.place.endpoint;

	if (!packet.place.is_from_workload) {
		if (packet.place.is_from_host) {
			packet.is_opened_by_host = true;
			return 0;
		}
		return side(packet, here, true, packet.wire.tuple) == Answer::Deny ? TT_REASON_DROP_INGRESS_POLICY : 0;
	}
	if (side(packet, here, false, packet.wire.tuple) == Answer::Deny)
		return TT_REASON_DROP_EGRESS_POLICY;
	const int peer = owner_of(packet.wire.tuple.destination);
	if (peer < 0)
		return settings.drops_host && settings.is_host_route ? TT_REASON_DROP_HOST : 0;
	if (!(endpoints[peer].flags & TT_ENDPOINT_READY))
		return TT_REASON_DROP_NOT_READY;
	return side(packet, peer, true, packet.wire.tuple) == Answer::Deny ? TT_REASON_DROP_INGRESS_POLICY : 0;
}

// The connection in the direction that it was opened in. 0 = allowed, else why not.
uint32_t Model::judge_again(Packet &packet, bool is_reply)
{
	const bool is_initiator_here = packet.place.is_from_workload != is_reply;
	const Question question = is_reply ? turned(packet.wire.tuple) : packet.wire.tuple;
	const int far = owner_of(packet.place.is_from_workload ? packet.wire.tuple.destination : packet.wire.tuple.source);
	const int sender = is_initiator_here ? packet.place.endpoint : far;
	const int receiver = is_initiator_here ? far : packet.place.endpoint;

	if (sender >= 0 && side(packet, sender, false, question) == Answer::Deny)
		return TT_REASON_DROP_EGRESS_POLICY;
	if (receiver >= 0 && side(packet, receiver, true, question) == Answer::Deny)
		return TT_REASON_DROP_INGRESS_POLICY;
	return 0;
}

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

uint32_t Model::open(Packet &packet, const Key &key)
{
	const uint32_t reason = judge(packet);

	if (reason)
		return reason;
	Connection &connection = connections[key] = {};
	connection.generation = generation;
	connection.opened = packet.wire.tuple;
	connection.initiator = packet.wire.tuple.source;
	connection.initiator_port = packet.wire.tuple.source_port;
	connection.is_from_host = packet.is_opened_by_host;
	connection.egress = packet.egress;
	connection.ingress = packet.ingress;
	connection.state = packet.wire.tcp_flags & kRst ? 4 : 0;
	connection.seen = packet.place.jiffies;
	return packet.is_opened_by_host ? TT_REASON_ALLOWED_HOST : TT_REASON_ALLOWED_NEW;
}

uint32_t Model::reopen(Packet &packet, const Key &key, Connection &connection, bool is_reply)
{
	if (is_reply || connection.state >= 3 || connection.is_revoked)
		return open(packet, key);
	const uint32_t reason = judge(packet);
	if (reason)
		return reason;
	connection.egress = packet.egress;
	connection.ingress = packet.ingress;
	connection.generation = generation;
	connection.seen = packet.place.jiffies;
	return TT_REASON_ALLOWED_FLOW;
}

uint32_t Model::revoke(Packet &packet, Connection &connection, uint32_t reason)
{
	if (!connection.is_revoked)
		reason = TT_REASON_DROP_REVOKED;
	connection.is_revoked = true;
	connection.egress = packet.egress;
	connection.ingress = packet.ingress;
	connection.generation = generation;
	connection.seen = packet.place.jiffies;
	return reason;
}

uint32_t Model::go_on(Packet &packet, Connection &connection, bool is_reply)
{
	const bool is_current = connection.generation == generation;

	if (connection.is_revoked && is_current) {
		if (connection.is_revoked_at_sight && packet.outcome.reason == TT_REASON_ALLOWED_CACHED &&
		    packet.place.jiffies - connection.last_passed < kSecond)
			return TT_REASON_ALLOWED_CACHED;
		connection.seen = packet.place.jiffies;
		return connection.egress == Answer::Deny ? TT_REASON_DROP_EGRESS_POLICY : TT_REASON_DROP_INGRESS_POLICY;
	}
	if (connection.is_revoked || !(is_current || settings.keeps_established)) {
		if (!connection.is_from_host) {
			const uint32_t reason = judge_again(packet, is_reply);

			if (reason)
				return revoke(packet, connection, reason);
			connection.egress = packet.egress;
			connection.ingress = packet.ingress;
		}
		connection.is_revoked = connection.is_revoked_at_sight = false;
		connection.generation = generation;
	}
	packet.egress = connection.egress;
	packet.ingress = connection.ingress;
	if (!is_reply && packet.place.is_from_workload && connection.egress == Answer::None) {
		connection.is_from_host = false;
		connection.is_revoked_at_sight = true;
		if (side(packet, packet.place.endpoint, false, packet.wire.tuple) == Answer::Deny)
			return revoke(packet, connection, TT_REASON_DROP_EGRESS_POLICY);
		connection.is_revoked_at_sight = false;
		connection.egress = packet.egress;
	}
	if (!is_reply && !packet.place.is_from_workload && connection.ingress == Answer::None && !connection.is_from_host) {
		if (side(packet, packet.place.endpoint, true, packet.wire.tuple) == Answer::Deny)
			return TT_REASON_DROP_INGRESS_POLICY;
		connection.ingress = packet.ingress;
	}
	// The cache answers only for what leaves the state alone, and for less than a second.
	if (packet.outcome.reason == TT_REASON_ALLOWED_CACHED) {
		if (packet.wire.part != Part::Whole || is_icmp(packet.wire.tuple.protocol) ||
		    (packet.wire.tcp_flags & (kSyn | kFin | kRst)) || packet.place.jiffies - connection.seen >= kSecond ||
		    (packet.wire.tuple.protocol == 6 && connection.state < 2))
			fuzz_fail("the flow cache answered where it may not");
		return TT_REASON_ALLOWED_CACHED;
	}
	int state = connection.state;
	if (packet.wire.tuple.protocol == 6) {
		if (packet.wire.tcp_flags & kRst)
			state = 4;
		else if (state != 4) {
			if (packet.wire.tcp_flags & kFin)
				connection.has_fin[is_reply] = true;
			if (connection.has_fin[0] || connection.has_fin[1])
				state = connection.has_fin[0] && connection.has_fin[1] ? 4 : 3;
		}
	}
	if (state == 0 && is_reply)
		state = 1;
	else if (state == 1 && !is_reply)
		state = 2;
	connection.state = state;
	connection.last_passed = packet.place.jiffies;
	connection.seen = packet.place.jiffies;
	return TT_REASON_ALLOWED_FLOW;
}

bool Model::is_cached_relic(const Packet &packet, const Key &key) const
{
	const auto relic = evicted.find(key);

	return packet.outcome.reason == TT_REASON_ALLOWED_CACHED && relic != evicted.end() &&
	       relic->second.generation == generation && packet.place.jiffies - relic->second.last_passed < kSecond;
}

uint32_t Model::pass(Packet &packet)
{
	const Wire &wire = packet.wire;

	packet.kind = kind_of(wire);
	if (is_error(wire) && is_cited(packet))
		return TT_REASON_ALLOWED_RELATED;
	Key key = key_of(wire, packet.kind);
	if (is_cached_relic(packet, key))
		return TT_REASON_ALLOWED_CACHED;
	Connection *connection = find(key, packet.place.jiffies);
	if (!connection && packet.kind == Kind::Echo && is_reply_type(wire)) {
		// Nobody asked: a message of its own.
		packet.kind = Kind::OtherIcmp;
		key = key_of(wire, packet.kind);
		connection = find(key, packet.place.jiffies);
	}
	if (!connection)
		return open(packet, key);
	bool is_reply = packet.kind == Kind::Echo && is_reply_type(wire);
	if (packet.kind == Kind::Ports || packet.kind == Kind::Protocol)
		is_reply = connection->initiator != wire.tuple.source || connection->initiator_port != wire.tuple.source_port;
	const bool asks_anew = wire.tuple.protocol == 6 && (wire.tcp_flags & (kSyn | kAck)) == kSyn;
	if (asks_anew && (packet.place.is_from_workload || is_reply || connection->egress == Answer::None))
		return reopen(packet, key, *connection, is_reply);
	return go_on(packet, *connection, is_reply);
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
