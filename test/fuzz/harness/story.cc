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

} // namespace

void Story::tell()
{
	while (!input_.is_empty() && told_.size() < kMaxPackets)
		step();
	machine_.check_flows();
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
		return op & 0x10 ? probe(op) : send_raw();
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
		spec.tcp_flags = any_flags();
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
