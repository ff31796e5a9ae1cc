// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// The guard with two tables, whole or with holes, and everything that must hold of a frame that it judges.
#ifndef TT_FUZZ_GUARD_MACHINE_H
#define TT_FUZZ_GUARD_MACHINE_H

#include <optional>

#include "guard-frames.h"

namespace fuzz {

enum GuardEnd : uint32_t { Passed, DroppedSource, DroppedHole };
constexpr uint32_t kGuardEnds = 3;

class GuardMachine {
    public:
	// In blocks; or flat, beside the one in blocks that has had the same input.
	GuardMachine(const GuardTables &tables, const Input &input, const GuardMachine *in_blocks);
	~GuardMachine();

	// To the end of the input. Aborts if anything differs from what the prefixes say.
	void tell();

	// Whether what is missing can be missing in a flat heap.
	bool is_flat_too() const { return is_flat_too_; }

    private:
	void take_away();
	void lead_root_away();
	void lead_entry_away();
	void patch(uint32_t offset, uint32_t value);
	void judge_frame();
	GuardEnd wanted_end(const std::optional<Source> &source) const;
	GuardEnd run(const std::vector<uint8_t> &frame);
	void count(GuardEnd end, size_t bytes);

	const GuardTables &tables_;
	Input input_;
	const GuardMachine *in_blocks_;
	uint32_t active_ = 0;
	bool is_flat_too_ = true;
	std::vector<GuardEnd> ends_;
	std::vector<uint32_t> patched_; // offsets of words
	tt_counter drops_[FUZZ_CPUS][TT_GUARD_REASONS] = {};
};

} // namespace fuzz

#endif
