// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include "machine.h"

#include <cstdio>
#include <cstring>
#include <memory>

#include "driver.h"

namespace fuzz {

namespace {

constexpr int kOk = 0, kShot = 2, kRedirect = 7;

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
	state()->stamp = model.stamp;
	state()->flags = (model.settings.keeps_established ? TT_STATE_KEEP_ESTABLISHED : 0) |
			 (model.settings.drops_host ? TT_STATE_HOST_DROP : 0);
	state()->flow_seed = 0x0123456789abcdef;
	for (int number = 0; number < 2; number++)
		state()->root[number] = root_of(world_.root(policies_[number]), generations_[number]);
}

void Machine::forget_cached()
{
	state()->stamp = ++model.stamp;
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
	model.stamp++;
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
	count_packet(counted.reason);
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

} // namespace fuzz
