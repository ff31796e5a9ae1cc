// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// What a packet does to its connection, and the connection to the packet.
#include "model-packet.h"

namespace fuzz {

namespace {

constexpr uint8_t kFin = 1, kSyn = 2, kRst = 4, kAck = 16;

uint64_t seconds_to_live(uint8_t protocol, int state)
{
	if (protocol == 6)
		return state == 2 ? 3600 : 60;
	if (protocol == 17 || protocol == 136)
		return state == 0 ? 60 : 180;
	return is_icmp(protocol) ? 10 : 600;
}

} // namespace

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
	if (is_reply || connection.state >= 3 || connection.is_revoked) {
		const Connection former = connection;
		const uint32_t answer = open(packet, key);

		if (answer < kFirstDrop)
			leave(key, former);
		return answer;
	}
	const uint32_t reason = judge(packet);
	if (reason)
		return reason;
	connection.egress = packet.egress;
	if (packet.ingress != Answer::None || connection.generation != generation)
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
		connection.is_revoked = false;
		connection.generation = generation;
	}
	packet.egress = connection.egress;
	packet.ingress = connection.ingress;
	const bool is_initiator_here = packet.place.is_from_workload != is_reply;
	if (is_initiator_here && connection.egress == Answer::None && !(is_reply && connection.is_from_host)) {
		const Question question = is_reply ? turned(packet.wire.tuple) : packet.wire.tuple;
		const bool is_denied = side(packet, packet.place.endpoint, false, question) == Answer::Deny;

		if (is_denied || connection.is_from_host)
			stamp++;
		connection.is_from_host = false;
		if (is_denied)
			return revoke(packet, connection, TT_REASON_DROP_EGRESS_POLICY);
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
		    (packet.wire.tuple.protocol == 6 && connection.state < 2) || connection.last_passed.stamp != stamp)
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
	connection.last_passed = { packet.place.jiffies, stamp };
	connection.seen = packet.place.jiffies;
	return TT_REASON_ALLOWED_FLOW;
}

bool Model::is_cached_since(const Packet &packet, const Passed &passed) const
{
	return packet.outcome.reason == TT_REASON_ALLOWED_CACHED && passed.stamp == stamp &&
	       packet.place.jiffies - passed.jiffies < kSecond;
}

void Model::leave(const Key &key, const Connection &connection)
{
	Passed &relic = relics_[key];

	if (connection.last_passed.jiffies >= relic.jiffies)
		relic = connection.last_passed;
}

bool Model::is_cached_relic(const Packet &packet, const Key &key) const
{
	const auto relic = relics_.find(key);

	return relic != relics_.end() && is_cached_since(packet, relic->second);
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

} // namespace fuzz
