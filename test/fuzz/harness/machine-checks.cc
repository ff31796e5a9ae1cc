// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// What must hold of a packet besides its verdict: counters, bytes, the frame, events, the flow table.
#include <cstring>
#include <map>

#include "machine.h"

namespace fuzz {

// Exactly one reason has moved, by one packet; besides it only those that go with another.
Machine::Counted Machine::read_counters()
{
	Counted counted{ TT_REASON_COUNT, 0, false, false };

	for (uint32_t reason = 0; reason < TT_REASON_COUNT; reason++) {
		const auto *counter =
			static_cast<const tt_counter *>(fuzz_map_at(fuzz_stages.counters, fuzz_machine.cpu, reason));
		uint64_t &packets = before_[fuzz_machine.cpu * TT_REASON_COUNT + reason];
		const uint64_t moved = counter->packets - packets;

		packets = counter->packets;
		if (!moved)
			continue;
		if (reason == TT_REASON_FLOW_EVICTED)
			counted.has_evicted = true;
		else if (reason == TT_REASON_EVENT_LOST || reason == TT_REASON_EVENT_SUPPRESSED)
			counted.has_lost = true;
		else if (moved != 1 || counted.reason != TT_REASON_COUNT)
			fuzz_fail("one packet was counted more than once: reasons %u and %u", counted.reason, reason);
		else
			counted.reason = reason;
	}
	if (counted.reason == TT_REASON_COUNT)
		fuzz_fail("a packet was counted under no reason");
	return counted;
}

void Machine::check_bytes(const Wire &wire, const Counted &counted, size_t size, const Expected &expected)
{
	static uint64_t total[FUZZ_CPUS][TT_REASON_COUNT];
	const auto *counter =
		static_cast<const tt_counter *>(fuzz_map_at(fuzz_stages.counters, fuzz_machine.cpu, counted.reason));
	uint64_t &before = total[fuzz_machine.cpu][counted.reason];
	if (counter->packets == 1)
		before = 0;
	const uint64_t moved = counter->bytes - before;
	const bool is_unread = expected.reason == TT_REASON_DROP_NOT_READY || expected.reason == TT_REASON_DROP_SPOOFED_MAC;

	before = counter->bytes;
	if (moved == size - 14 && (is_unread || wire.is_refused || wire.is_arp))
		return;
	if (wire.is_refused ? moved <= size - 14 : moved == wire.ip_bytes)
		return;
	fuzz_fail("%llu bytes were counted, of a frame of %zu with %u of IP", (unsigned long long)moved, size,
		  wire.ip_bytes);
}

// A frame either stays as it is, or goes to the destination's own interface with its MACs and one hop less.
void Machine::check_redirect(const Frame &before, const uint8_t *after, const Passage &passage, const Wire &wire,
			     uint32_t reason, uint32_t linear)
{
	const int owner = wire.family ? model.owner_of(wire.tuple.destination) : -1;
	Frame wanted = before;

	if (!fuzz_machine.redirect_ifindex) {
		const uint32_t header = wire.family == 4 ? 20 : 40;

		if (memcmp(after, before.data(), linear))
			fuzz_fail("a frame that went nowhere else was changed");
		if (passage.is_from_workload && reason == TT_REASON_ALLOWED_NEW && owner >= 0 &&
		    owner != passage.endpoint && (model.endpoints[owner].flags & TT_ENDPOINT_PEER_DELIVERY) &&
		    !passage.packet_type && before.size() <= 1514 && linear >= 14 + header &&
		    before[wire.family == 4 ? 22 : 21] > 1)
			fuzz_fail("a packet from peer to peer took the stack");
		return;
	}
	if (reason > TT_REASON_ALLOWED_RELATED || !passage.is_from_workload || owner < 0 || passage.packet_type)
		fuzz_fail("a packet was delivered that may not be, reason %u", reason);
	const Endpoint &target = model.endpoints[owner];
	const uint32_t both = TT_ENDPOINT_READY | TT_ENDPOINT_PEER_DELIVERY;
	if (fuzz_machine.redirect_ifindex != target.ifindex || (target.flags & both) != both || owner == passage.endpoint)
		fuzz_fail("a packet for endpoint %d was delivered to interface %u", owner, fuzz_machine.redirect_ifindex);
	memcpy(&wanted[0], target.mac, 6);
	memcpy(&wanted[6], target.host_mac, 6);
	if (wire.family == 4) {
		const uint32_t sum = (wanted[24] << 8 | wanted[25]) + 0x0100;

		wanted[22]--;
		wanted[24] = (sum + (sum >= 0xffff)) >> 8;
		wanted[25] = sum + (sum >= 0xffff);
	} else {
		wanted[21]--;
	}
	if (before[wire.family == 4 ? 22 : 21] <= 1)
		fuzz_fail("a packet on its last hop was delivered");
	if (memcmp(after, wanted.data(), linear))
		fuzz_fail("a delivered frame has something else changed than MACs and hop");
}

void Machine::check_events(const Wire &wire, const Counted &counted, const Expected &expected)
{
	const bool is_new = counted.reason == TT_REASON_ALLOWED_NEW || counted.reason == TT_REASON_ALLOWED_HOST;
	const bool is_told = is_new || counted.reason >= kFirstDrop;

	if (counted.has_lost)
		return;
	if (expected.is_log_known && fuzz_machine.events != (is_told ? 1u + (is_new && expected.is_logged) : 0))
		fuzz_fail("%u events for reason %u, logged %d", fuzz_machine.events, counted.reason, expected.is_logged);
	for (uint32_t number = 0; number < fuzz_machine.events; number++) {
		tt_event event;

		if (fuzz_machine.event_size[number] != sizeof(event))
			fuzz_fail("an event of %u bytes", fuzz_machine.event_size[number]);
		memcpy(&event, fuzz_machine.event[number], sizeof(event));
		if (event.reason != counted.reason || event.jiffies != fuzz_machine.jiffies)
			fuzz_fail("an event says reason %u, the counter %u", event.reason, counted.reason);
		if (!event.family || wire.is_refused)
			continue;
		if (memcmp(&event.source, wire.tuple.source.bytes.data(), 16) || event.length != wire.ip_bytes ||
		    memcmp(&event.destination, wire.tuple.destination.bytes.data(), 16))
			fuzz_fail("an event speaks of another packet");
		if (has_ports(wire.tuple.protocol) && wire.part != Part::Later &&
		    (__builtin_bswap16(event.source_port) != wire.tuple.source_port ||
		     __builtin_bswap16(event.destination_port) != wire.tuple.destination_port))
			fuzz_fail("an event has other ports than the packet");
	}
}

void Machine::check_flows()
{
	std::map<Key, const tt_flow *> stored;

	fuzz_check_flow_table(setup_.room);
	for (uint32_t number = 0; number < setup_.room; number++) {
		tt_flow_key raw;
		Key key;
		const tt_flow *flow = fuzz_flow_entry(number, &raw);

		if (!flow)
			continue;
		memcpy(&key, &raw, sizeof(key));
		if (!stored.emplace(key, flow).second)
			fuzz_fail("a flow is in the table twice");
	}
	for (auto connection = model.connections.begin(); connection != model.connections.end();) {
		const bool is_stored = stored.contains(connection->first);

		if (!is_stored && setup_.room >= 64 && !model.is_expired(connection->first, connection->second, fuzz_machine.jiffies))
			fuzz_fail("a live flow is not in the table, which has room");
		if (!is_stored)
			model.leave(connection->first, connection->second);
		connection = is_stored ? std::next(connection) : model.connections.erase(connection);
	}
	for (const auto &[key, flow] : stored)
		if (setup_.room >= 64 && !model.connections.contains(key))
			fuzz_fail("the table has a flow that no packet opened");
}

} // namespace fuzz
