// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include "story.h"

#include <algorithm>

namespace fuzz {

namespace {

constexpr uint32_t kMaxPackets = 64;

// Around each of the timeouts, in jiffies.
constexpr uint32_t kSteps[] = { 1,     500,    998,    999,    1000,   1001,   9999,   10000,
				10001, 29999,  30001,  59000,  60000,  60001,  179999, 180001,
				2000,  599999, 600001, 3599999, 3600000, 3600001, 250, 120000 };
constexpr uint8_t kFlags[] = { 0x02, 0x12, 0x10, 0x11, 0x14, 0x04, 0x00, 0x3f, 0x01, 0x18, 0x03, 0x06 };
constexpr uint8_t kExtensions[] = { 0, 43, 60, 44, 0, 60, 51, 59 };
// The last hop, the one before it, and what discovery must have.
constexpr uint8_t kHops[] = { 64, 1, 0, 2, 255, 255, 1, 65 };

} // namespace

void Story::tell()
{
	while (!input_.is_empty() && told_.size() < kMaxPackets)
		step();
	machine_.check_flows();
}

// A known address, every other time one of this host.
Address Story::far_address(bool is_v4)
{
	const auto &known = world_.addresses[is_v4 ? 0 : 1];
	const uint8_t which = input_.byte();
	std::vector<Address> local;

	if (which & 0x80)
		for (const Endpoint &endpoint : world_.endpoints)
			for (const Address &address : endpoint.addresses)
				if (address.is_v4() == is_v4)
					local.push_back(address);
	return local.empty() ? known[which % known.size()] : local[which % local.size()];
}

// An own address of the endpoint, one beyond, any of the combinations that the evaluator was asked about.
Spec Story::fresh_spec(int endpoint, bool is_from_workload)
{
	const auto &own = world_.endpoints[endpoint].addresses;
	const Address here = own[input_.below(own.size())];
	const Address there = far_address(here.is_v4());
	Spec spec;

	spec.tuple = world_.combos[input_.half() % world_.combos.size()];
	spec.tuple.source = is_from_workload ? here : there;
	spec.tuple.destination = is_from_workload ? there : here;
	if (spec.tuple.protocol == 6)
		spec.tcp_flags = kFlags[input_.below(sizeof(kFlags))];
	if (is_icmp(spec.tuple.protocol))
		spec.echo = input_.below(3);
	if (spec.tuple.icmp_type == 137)
		spec.tuple.icmp_type = 130 + input_.below(8);
	return spec;
}

void Story::shape(Spec &spec, uint8_t how)
{
	spec.payload = how & 1 ? input_.byte() : 8;
	if (how & 2) {
		const uint8_t which = input_.byte();

		spec.hop_limit = kHops[which & 7];
		if (which >> 4 == 5)
			spec.layer4_limit = input_.below(21);
	} else {
		spec.hop_limit = 64;
	}
	spec.option_words = how & 4 ? input_.below(11) : 0;
	if (how & 8) {
		spec.has_fragment = true;
		spec.fragment_offset = how & 16 ? input_.byte() : 0;
		spec.has_more = input_.byte() & 1;
		spec.fragment_id = input_.below(4);
	}
	if (how & 32)
		for (uint32_t left = input_.below(10); left; left--)
			spec.extensions.push_back({ kExtensions[input_.byte() & 7], uint8_t(input_.below(4)), input_.half() });
	if (how & 64)
		spec.tuple.source = world_.addresses[spec.tuple.source.is_v4() ? 0 : 1][input_.below(
			world_.addresses[spec.tuple.source.is_v4() ? 0 : 1].size())];
	if (how & 128)
		spec.tuple.destination_port = input_.half();
}

Passage Story::towards(const Address &address, bool is_from_workload)
{
	Passage passage;

	passage.is_from_workload = is_from_workload;
	passage.endpoint = machine_.model.owner_of(address);
	if (passage.endpoint < 0)
		passage.endpoint = input_.below(world_.endpoints.size());
	return passage;
}

// As the side that sends it makes it.
Story::Sent Story::made(const Spec &spec, const Passage &passage) const
{
	const Endpoint &endpoint = world_.endpoints[passage.endpoint];
	const uint8_t *to = passage.is_from_workload ? endpoint.host_mac : endpoint.mac;
	const uint8_t *from = passage.is_from_workload ? endpoint.mac : endpoint.host_mac;

	return { spec, make_frame(spec, to, from), passage };
}

void Story::send(const Spec &spec, const Passage &passage, uint8_t op)
{
	Sent sent = made(spec, passage);

	if (op & 0x40)
		damage(sent.frame, input_);
	if (op & 0x80) {
		const uint8_t what = input_.byte();

		sent.passage.is_from_host = what & 1;
		sent.passage.is_tagged = (what & 6) == 6;
		sent.passage.packet_type = what & 8 ? 3 : 0;
		sent.passage.gso_size = what & 16 ? 1 + input_.byte() * 8 : 0;
		if (what & 32)
			sent.passage.linear = input_.byte();
		if ((what & 0xc0) == 0xc0)
			sent.passage.endpoint = -1;
	}
	send_frame(std::move(sent));
}

void Story::send_frame(Sent sent)
{
	machine_.run(sent.frame, sent.passage);
	told_.push_back(std::move(sent));
}

// Sent back by the cited packet's receiver.
Spec Story::error_about(const Sent &cited, bool is_exceeded)
{
	const bool is_v4 = cited.spec.tuple.source.is_v4() && !cited.spec.is_mapped;
	const size_t size = std::min<size_t>(cited.frame.size() - 14, 8 + input_.byte());
	Spec spec;

	spec.tuple.protocol = is_v4 ? 1 : 58;
	spec.tuple.icmp_type = is_v4 ? (is_exceeded ? 11 : 3) : 1 + input_.below(4);
	spec.tuple.icmp_code = is_v4 && !is_exceeded ? 4 : 0;
	spec.tuple.source = cited.spec.tuple.destination;
	spec.tuple.destination = cited.spec.tuple.source;
	spec.cited.assign(cited.frame.begin() + 14, cited.frame.begin() + 14 + size);
	return spec;
}

void Story::cite(const Sent &cited, uint8_t op)
{
	Spec spec = error_about(cited, op & 0x10);
	const uint8_t who = input_.byte();

	if (op & 0x20)
		shape(spec, input_.byte());
	// By one who has nothing to do with the flow.
	if (who & 4) {
		const Endpoint &other = world_.endpoints[input_.below(world_.endpoints.size())];
		const bool is_v4 = spec.tuple.source.is_v4();

		for (const Address &address : other.addresses)
			if (address.is_v4() == is_v4)
				spec.tuple.source = address;
	}
	send(spec, towards(who & 1 ? spec.tuple.source : spec.tuple.destination, who & 2), op);
}

void Story::send_raw()
{
	Sent sent{ {}, Frame(14 + input_.byte()), {} };

	sent.passage.endpoint = input_.below(world_.endpoints.size());
	sent.passage.is_from_workload = input_.byte() & 1;
	for (uint8_t &byte : sent.frame)
		byte = input_.byte();
	sent.spec.tuple.source = sent.spec.tuple.destination = world_.endpoints[sent.passage.endpoint].addresses[0];
	send_frame(std::move(sent));
}

void Story::change()
{
	const uint8_t what = input_.byte();
	const int endpoint = input_.below(world_.endpoints.size());

	switch (what & 7) {
	case 0:
	case 1:
		return machine_.publish(what >> 3 & 1);
	case 2:
		return machine_.keep_established(what & 8);
	case 3:
		return machine_.set_flags(endpoint, machine_.model.endpoints[endpoint].flags ^ TT_ENDPOINT_PEER_DELIVERY);
	case 4:
		return machine_.set_flags(endpoint, machine_.model.endpoints[endpoint].flags ^ TT_ENDPOINT_READY);
	case 5:
		return machine_.set_addressed(endpoint, !machine_.model.endpoints[endpoint].has_address);
	case 6:
		fuzz_machine.is_ring_full = what >> 3 & 1;
		return;
	default:
		machine_.model.settings.is_host_route = what >> 3 & 1;
		fuzz_machine.fib_result = what & 8 ? BPF_FIB_LKUP_RET_NOT_FWDED : BPF_FIB_LKUP_RET_SUCCESS;
	}
}

void Story::step()
{
	const uint8_t op = input_.byte();
	uint32_t kind = op & 15;

	if (told_.empty() && kind >= 6 && kind <= 11)
		kind = 0;
	if (kind <= 5)
		return start(op);
	if (kind <= 11)
		return go_on(op);
	switch (kind) {
	case 12:
		fuzz_machine.jiffies += kSteps[input_.below(sizeof(kSteps) / sizeof(*kSteps))];
		return;
	case 13:
		return change();
	case 14:
		fuzz_machine.cpu = op >> 4 & 1;
		return;
	default:
		return op & 0x10 && !told_.empty() ? probe(op) : send_raw();
	}
}

void Story::start(uint8_t op)
{
	const int endpoint = input_.below(world_.endpoints.size());
	Passage passage;
	Spec spec = fresh_spec(endpoint, op & 1);

	passage.endpoint = endpoint;
	passage.is_from_workload = op & 1;
	if (op & 0x20)
		shape(spec, input_.byte());
	send(spec, passage, op);
}

// What follows from a packet that was sent before.
void Story::go_on(uint8_t op)
{
	Sent sent = earlier();
	Spec &spec = sent.spec;

	switch (op & 15) {
	case 6: // the answer, as its sender sends it or as its receiver gets it
		spec = reply_to(spec);
		break;
	case 7: // again, or from another MAC
		if (op & 0x10)
			sent.frame[6 + input_.below(6)] ^= 1;
		return send_frame(std::move(sent));
	case 8: // the same connection further on
		spec.tcp_flags = kFlags[input_.below(sizeof(kFlags))];
		if (op & 0x20)
			shape(spec, input_.byte());
		break;
	case 9:
		return cite(sent, op);
	case 10: // a later fragment of the same datagram
		spec.has_fragment = true;
		spec.fragment_offset = 1 + input_.below(8);
		break;
	default: // at the other hook, past the stack
		sent.passage.endpoint = towards(spec.tuple.destination, false).endpoint;
		sent.passage.is_from_workload = false;
		return send_frame(std::move(sent));
	}
	send(spec, towards(op & 0x10 ? spec.tuple.source : spec.tuple.destination, op & 0x10), op);
}

} // namespace fuzz
