// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// A fuzzer's bytes as a story of packets, time and changes on one host. What must hold is machine.cc.
#ifndef TT_FUZZ_STORY_H
#define TT_FUZZ_STORY_H

#include "machine.h"

namespace fuzz {

class Story {
    public:
	Story(const World &world, Input &input, const Setup &setup) : world_(world), input_(input), machine_(world, setup) {}

	// To the end of the input.
	void tell();

    private:
	struct Sent {
		Spec spec;
		Frame frame;
		Passage passage;
	};

	void step();
	void start(uint8_t op);
	void go_on(uint8_t op);
	void change();
	uint8_t any_flags();
	Address far_address(bool is_v4);
	std::optional<Sent> between_workloads(bool is_v4);
	void open_door(int endpoint);
	Spec fresh_spec(int endpoint, bool is_from_workload);
	void shape(Spec &spec, uint8_t how);
	const Sent &earlier() { return told_[input_.below(told_.size())]; }
	Sent made(const Spec &spec, const Passage &passage) const;
	void send(const Spec &spec, const Passage &passage, uint8_t op = 0);
	void send_frame(Sent sent);
	void cite(const Sent &cited, uint8_t op);
	Spec error_about(const Sent &cited, bool is_exceeded);
	void send_raw();
	Passage towards(const Address &address, bool is_from_workload);

	// In probes.cc: each leads up to one packet that a single defence stands against.
	void probe(uint8_t op);
	void warm(const Sent &sent);
	void probe_mac(Sent sent);
	void probe_last_hop(Sent sent);
	void probe_fragments(const Sent &sent);
	void probe_length(const Sent &sent);
	void probe_mapped(const Sent &sent);
	void probe_padding(const Sent &sent);
	void probe_interface(Sent sent);
	void probe_change(const Sent &sent);

	const World &world_;
	Input &input_;
	Machine machine_;
	std::vector<Sent> told_;
};

} // namespace fuzz

#endif
