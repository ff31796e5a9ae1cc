// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Target `stages`: libFuzzer's bytes as a story of packets, time and changes on one host. What must hold is machine.cc.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "machine.h"

namespace fuzz {

namespace {

constexpr uint32_t kMaxPackets = 64;

std::vector<std::unique_ptr<World>> worlds;

// Around each of the timeouts, in jiffies.
constexpr uint32_t kSteps[] = { 1,     500,    998,    999,    1000,   1001,   9999,   10000,
				10001, 29999,  30001,  59000,  60000,  60001,  179999, 180001,
				2000,  599999, 600001, 3599999, 3600000, 3600001, 250, 120000 };
constexpr uint8_t kFlags[] = { 0x02, 0x12, 0x10, 0x11, 0x14, 0x04, 0x00, 0x3f, 0x01, 0x18, 0x03, 0x06 };
constexpr uint8_t kExtensions[] = { 0, 43, 60, 44, 0, 60, 51, 59 };

struct Sent {
	Spec spec;
	Frame frame;
	Passage passage;
};

class Story {
    public:
	Story(const World &world, Input &input, const Setup &setup) : world_(world), input_(input), machine_(world, setup) {}

	void tell()
	{
		while (!input_.is_empty() && told_.size() < kMaxPackets)
			step();
		machine_.check_flows();
	}

    private:
	void step();
	void change();
	Spec fresh_spec(int endpoint, bool is_from_workload);
	void shape(Spec &spec, uint8_t how);
	Sent &earlier() { return told_[input_.below(told_.size())]; }
	void send(const Spec &spec, Passage passage, uint8_t op);
	void send_frame(Sent sent);
	void cite(uint8_t op);
	void send_raw();
	Passage towards(const Address &address, bool is_from_workload);

	const World &world_;
	Input &input_;
	Machine machine_;
	std::vector<Sent> told_;
};

// An own address of the endpoint, any known address beyond, any of the combinations that the evaluator was asked about.
Spec Story::fresh_spec(int endpoint, bool is_from_workload)
{
	const auto &own = world_.endpoints[endpoint].addresses;
	const Address here = own[input_.below(own.size())];
	const auto &known = world_.addresses[here.is_v4() ? 0 : 1];
	const Address there = known[input_.below(known.size())];
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
	spec.hop_limit = how & 2 ? input_.byte() : 64;
	if ((spec.hop_limit & 0x0f) == 5)
		spec.layer4_limit = input_.below(21);
	if (spec.hop_limit & 1)
		spec.hop_limit |= 0xfe;
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

void Story::send(const Spec &spec, Passage passage, uint8_t op)
{
	const Endpoint &endpoint = world_.endpoints[passage.endpoint];
	const uint8_t *to = passage.is_from_workload ? endpoint.host_mac : endpoint.mac;
	const uint8_t *from = passage.is_from_workload ? endpoint.mac : endpoint.host_mac;
	Sent sent{ spec, make_frame(spec, to, from), passage };

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

void Story::cite(uint8_t op)
{
	const Sent cited = earlier();
	const bool is_v4 = cited.spec.tuple.source.is_v4();
	const size_t size = std::min<size_t>(cited.frame.size() - 14, 8 + input_.byte());
	Spec spec;

	spec.tuple.protocol = is_v4 ? 1 : 58;
	spec.tuple.icmp_type = is_v4 ? (op & 0x10 ? 11 : 3) : 1 + input_.below(4);
	spec.tuple.icmp_code = is_v4 && !(op & 0x10) ? 4 : 0;
	spec.tuple.source = cited.spec.tuple.destination;
	spec.tuple.destination = cited.spec.tuple.source;
	spec.cited.assign(cited.frame.begin() + 14, cited.frame.begin() + 14 + size);
	const uint8_t who = input_.byte();
	if (op & 0x20)
		shape(spec, input_.byte());
	// By one who has nothing to do with the flow.
	if (who & 4) {
		const Endpoint &other = world_.endpoints[input_.below(world_.endpoints.size())];

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
	if (kind <= 5) {
		const int endpoint = input_.below(world_.endpoints.size());
		Passage passage;
		Spec spec = fresh_spec(endpoint, kind & 1);

		passage.endpoint = endpoint;
		passage.is_from_workload = kind & 1;
		if (op & 0x20)
			shape(spec, input_.byte());
		return send(spec, passage, op);
	}
	switch (kind) {
	case 6: { // the answer, as its sender sends it or as its receiver gets it
		const Spec spec = reply_to(earlier().spec);

		return send(spec, towards(op & 0x10 ? spec.tuple.source : spec.tuple.destination, op & 0x10), op);
	}
	case 7: { // again, or from another MAC
		Sent sent = earlier();

		if (op & 0x10)
			sent.frame[6 + input_.below(6)] ^= 1;
		return send_frame(std::move(sent));
	}
	case 8: { // the same connection further on
		Spec spec = earlier().spec;

		spec.tcp_flags = kFlags[input_.below(sizeof(kFlags))];
		if (op & 0x20)
			shape(spec, input_.byte());
		return send(spec, towards(op & 0x10 ? spec.tuple.source : spec.tuple.destination, op & 0x10), op);
	}
	case 9:
		return cite(op);
	case 10: { // a later fragment of the same datagram
		Spec spec = earlier().spec;

		spec.has_fragment = true;
		spec.fragment_offset = 1 + input_.below(8);
		return send(spec, towards(op & 0x10 ? spec.tuple.source : spec.tuple.destination, op & 0x10), op);
	}
	case 11: { // at the other hook, past the stack
		Sent sent = earlier();
		const Passage there = towards(sent.spec.tuple.destination, false);

		sent.passage.endpoint = there.endpoint;
		sent.passage.is_from_workload = false;
		return send_frame(std::move(sent));
	}
	case 12:
		fuzz_machine.jiffies += kSteps[input_.below(sizeof(kSteps) / sizeof(*kSteps))];
		return;
	case 13:
		return change();
	case 14:
		fuzz_machine.cpu = op >> 4 & 1;
		return;
	default:
		return send_raw();
	}
}

void print_statistics()
{
	const char *file = getenv("TORTIE_FUZZ_STATISTICS");
	FILE *stream = file ? fopen(file, "w") : nullptr;

	if (!stream)
		return;
	fprintf(stream, "%llu", (unsigned long long)packets_run);
	for (const uint64_t count : reasons_seen)
		fprintf(stream, " %llu", (unsigned long long)count);
	fputc('\n', stream);
	fclose(stream);
}

} // namespace

} // namespace fuzz

extern "C" int LLVMFuzzerInitialize(int *, char ***)
{
	const char *files = getenv("TORTIE_FUZZ_WORLDS");
	std::string list = files ? files : "";

	fuzz_stages_define();
	fuzz::is_traced = getenv("TORTIE_FUZZ_TRACE") != nullptr;
	for (size_t start = 0, end; start < list.size(); start = end + 1) {
		end = std::min(list.find(':', start), list.size());
		fuzz::worlds.push_back(std::make_unique<fuzz::World>(list.substr(start, end - start)));
	}
	if (fuzz::worlds.empty())
		fuzz_fail("TORTIE_FUZZ_WORLDS names no world: run npm run fuzz");
	atexit(fuzz::print_statistics);
	return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz::Input input(data, size);
	const fuzz::World &world = *fuzz::worlds[input.below(fuzz::worlds.size())];
	const uint8_t bits = input.byte();
	fuzz::Setup setup;

	setup.is_flat = bits & 1;
	setup.keeps_established = (bits & 6) == 6;
	setup.drops_host = bits & 8;
	setup.room = (bits & 0x30) == 0x30 ? 16 : 256;
	setup.peer_delivery = input.byte();
	setup.mac_check = bits & 0x40 ? input.byte() : 0xff;
	fuzz_machine = {};
	fuzz_machine.jiffies = 1ull << 33;
	fuzz_machine.fib_result = BPF_FIB_LKUP_RET_SUCCESS;
	fuzz::Story(world, input, setup).tell();
	// A fuzzer that is stopped from outside does not run its exit handlers.
	static uint32_t told;
	if (++told % 4096 == 0)
		fuzz::print_statistics();
	return 0;
}
