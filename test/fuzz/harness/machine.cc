// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include "machine.h"

#include <cstdio>
#include <cstring>
#include <memory>

namespace fuzz {

uint64_t packets_run;
uint64_t reasons_seen[TT_REASON_COUNT];
bool is_traced;

namespace {

constexpr int kOk = 0, kShot = 2, kRedirect = 7;
constexpr uint32_t kFirstDrop = TT_REASON_DROP_EGRESS_POLICY;

tt_state *state()
{
	return static_cast<tt_state *>(fuzz_map_at(fuzz_stages.state, 0, 0));
}

tt_root root_of(const uint32_t *words, uint32_t generation)
{
	return { words[0], words[1], words[2], words[3], words[4], generation, 0, 0 };
}

bool is_parse_reason(uint32_t reason)
{
	return (reason >= TT_REASON_DROP_ETHERTYPE && reason <= TT_REASON_DROP_EXTENSION_HEADERS) ||
	       reason == TT_REASON_DROP_FRAGMENT_TINY;
}

void trace(const Frame &frame, const Passage &passage, int action, uint32_t reason)
{
	fprintf(stderr, "%s endpoint %d%s: action %d reason %u, %zu bytes:", passage.is_from_workload ? "from" : "to",
		passage.endpoint, passage.is_from_host ? " (host)" : "", action, reason, frame.size());
	for (size_t at = 0; at < frame.size() && at < 160; at++)
		fprintf(stderr, "%s%02x", at % 4 == 2 ? " " : "", frame[at]);
	fputc('\n', stderr);
}

} // namespace

Machine::Machine(const World &world, const Setup &setup) : model(world), world_(world), setup_(setup)
{
	bool taken[FUZZ_ENDPOINT_SLOTS] = {};

	world.install(setup.is_flat);
	fuzz_stages_forget(setup.room);
	model.endpoints = world.endpoints;
	model.settings.keeps_established = setup.keeps_established;
	model.settings.drops_host = setup.drops_host;
	for (size_t index = 0; index < model.endpoints.size(); index++) {
		Endpoint &endpoint = model.endpoints[index];
		int of_family[2] = {};

		for (const Address &address : endpoint.addresses)
			of_family[address.is_v4()]++;
		endpoint.flags = TT_ENDPOINT_READY;
		if (!endpoint.prefixes.empty() || of_family[0] > 1 || of_family[1] > 1)
			endpoint.flags |= TT_ENDPOINT_MORE_SOURCES;
		if (setup.peer_delivery >> index & 1)
			endpoint.flags |= TT_ENDPOINT_PEER_DELIVERY;
		if (setup.mac_check >> index & 1)
			endpoint.flags |= TT_ENDPOINT_MAC_CHECK;
		endpoint.slot = endpoint.ifindex % FUZZ_ENDPOINT_SLOTS;
		while (taken[endpoint.slot])
			endpoint.slot = (endpoint.slot + 1) % FUZZ_ENDPOINT_SLOTS;
		taken[endpoint.slot] = true;
		write_endpoint(endpoint);
		write_addresses(endpoint);
	}
	write_state();
	for (uint32_t cpu = 0; cpu < FUZZ_CPUS; cpu++)
		for (uint32_t reason = 0; reason < TT_REASON_COUNT; reason++)
			memset(fuzz_map_at(fuzz_stages.counters, cpu, reason), 0, sizeof(tt_counter));
}

void Machine::write_state()
{
	*state() = {};
	state()->active = active_;
	state()->hz = FUZZ_HZ;
	state()->stamp = stamp_;
	state()->flags = (model.settings.keeps_established ? TT_STATE_KEEP_ESTABLISHED : 0) |
			 (model.settings.drops_host ? TT_STATE_HOST_DROP : 0);
	state()->flow_seed = 0x0123456789abcdef;
	for (int number = 0; number < 2; number++)
		state()->root[number] = root_of(world_.root(policies_[number]), generations_[number]);
}

void Machine::forget_cached()
{
	state()->stamp = ++stamp_;
}

void Machine::publish(int policy)
{
	const uint32_t next = 1 - active_;

	generations_[next] = ++model.generation;
	policies_[next] = model.policy = policy;
	state()->root[next] = root_of(world_.root(policy), model.generation);
	state()->active = active_ = next;
	forget_cached();
}

void Machine::keep_established(bool keeps)
{
	model.settings.keeps_established = keeps;
	stamp_++;
	write_state();
}

void Machine::set_flags(int endpoint, uint32_t flags)
{
	model.endpoints[endpoint].flags = flags;
	write_endpoint(model.endpoints[endpoint]);
	forget_cached();
}

// Who owns an address is part of no image: every flow is judged again.
void Machine::set_addressed(int endpoint, bool has_address)
{
	Endpoint &changed = model.endpoints[endpoint];

	changed.has_address = has_address;
	for (const Address &address : changed.addresses)
		fuzz_map_remove(fuzz_stages.addresses, address.bytes.data());
	if (has_address)
		write_addresses(changed);
	publish(model.policy);
}

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

void Machine::run(const Frame &frame, const Passage &passage)
{
	const uint32_t linear = std::min<size_t>(std::max<uint32_t>(passage.linear, 14), frame.size());
	// Both exactly as long as what they stand for: a read past either is a report.
	const std::unique_ptr<uint8_t[]> whole(new uint8_t[frame.size()]), head(new uint8_t[linear]);
	const bool is_nobody = passage.endpoint < 0;
	struct __sk_buff skb = {};

	memcpy(whole.get(), frame.data(), frame.size());
	memcpy(head.get(), frame.data(), linear);
	skb.data = uintptr_t(head.get());
	skb.data_end = skb.data + linear;
	skb.len = frame.size();
	skb.pkt_type = passage.packet_type;
	skb.ifindex = is_nobody ? 7 : model.endpoints[passage.endpoint].ifindex;
	skb.ingress_ifindex = passage.is_from_host ? 0 : 3;
	skb.vlan_present = passage.is_tagged;
	skb.gso_size = passage.gso_size;
	fuzz_machine.frame = whole.get();
	fuzz_machine.frame_size = frame.size();
	fuzz_run_begin();
	const int action = passage.is_from_workload ? fuzz_from_workload(&skb) : fuzz_to_workload(&skb);
	fuzz_run_end();

	const Counted counted = read_counters();
	packets_run++;
	reasons_seen[counted.reason]++;
	if (is_traced)
		trace(frame, passage, action, counted.reason);
	Outcome outcome{ counted.reason, 0, 0 };
	fuzz_last_words(&outcome.egress_word, &outcome.ingress_word);
	const Wire wire = read_frame(frame.data(), frame.size(), { passage.is_tagged, passage.gso_size != 0 });
	const Place place{ passage.is_from_workload, passage.endpoint, passage.is_from_host && !passage.is_from_workload,
			   fuzz_machine.jiffies, frame.data() + 6 };
	if (counted.has_evicted || setup_.room < 64)
		check_flows();
	const Expected expected = model.follow(wire, frame.data(), frame.size(), place, outcome);
	if (expected.is_any_parse_reason ? !is_parse_reason(counted.reason) :
	    expected.reason != counted.reason)
		fuzz_fail("expected reason %d, found %u", expected.is_any_parse_reason ? -1 : int(expected.reason),
			  counted.reason);
	if (counted.reason >= kFirstDrop ? action != kShot : action != kOk && action != kRedirect)
		fuzz_fail("reason %u, but action %d", counted.reason, action);
	if ((action == kRedirect) != (fuzz_machine.redirect_ifindex != 0))
		fuzz_fail("action %d, but redirected to %u", action, fuzz_machine.redirect_ifindex);
	check_bytes(wire, counted, frame.size(), expected);
	check_redirect(frame, head.get(), passage, wire, counted.reason, linear);
	check_events(wire, counted, expected);
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
			model.evicted[connection->first] = connection->second;
		connection = is_stored ? std::next(connection) : model.connections.erase(connection);
	}
	for (const auto &[key, flow] : stored)
		if (setup_.room >= 64 && !model.connections.contains(key))
			fuzz_fail("the table has a flow that no packet opened");
}

} // namespace fuzz
