// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// One host in a world: runs a frame through the programs and holds everything they did with it to the model.
#ifndef TT_FUZZ_MACHINE_H
#define TT_FUZZ_MACHINE_H

#include "frames.h"
#include "model.h"

namespace fuzz {

struct Setup {
	bool is_flat = false, keeps_established = false, drops_host = false;
	uint32_t room = 256; // of the flow table
	uint8_t peer_delivery = 0, mac_check = 0; // one bit for each endpoint
};

struct Passage {
	bool is_from_workload = true;
	int endpoint = -1;
	bool is_from_host = false, is_tagged = false;
	uint32_t gso_size = 0, packet_type = 0;
	uint32_t linear = UINT32_MAX; // bytes within reach of packet pointers
};

class Machine {
    public:
	Machine(const World &world, const Setup &setup);

	Model model;

	// Aborts if anything differs from what the model expects.
	void run(const Frame &frame, const Passage &passage);

	// Changes, each made the way src/kernel makes it.
	void publish(int policy);
	void keep_established(bool keeps);
	void set_flags(int endpoint, uint32_t flags);
	void set_addressed(int endpoint, bool has_address);

	// Of the flow table against the model's connections.
	void check_flows();

    private:
	struct Counted {
		uint32_t reason;
		uint64_t bytes;
		bool has_evicted, has_lost;
	};

	Counted read_counters();
	void check_bytes(const Wire &wire, const Counted &counted, size_t size, const Expected &expected);
	void check_redirect(const Frame &before, const uint8_t *after, const Passage &passage, const Wire &wire,
			    uint32_t reason, uint32_t linear);
	void check_events(const Wire &wire, const Counted &counted, const Expected &expected);
	void write_state();
	void forget_cached();

	const World &world_;
	Setup setup_;
	uint32_t active_ = 0;
	int policies_[2] = {};
	uint32_t generations_[2] = { 1, 1 };
	std::array<uint64_t, 2 * TT_REASON_COUNT> before_{};
};

} // namespace fuzz

#endif
