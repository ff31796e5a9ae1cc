// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Prefix tables as the control plane compiled them (tools/fuzz/export-guard.ts), beside the prefixes that they were
// made from. Knows where the guard looks them up, not how.
#ifndef TT_FUZZ_GUARD_TABLE_H
#define TT_FUZZ_GUARD_TABLE_H

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "stages.h"

namespace fuzz {

// In network order; of IPv4 the first four bytes count.
struct Source {
	int family;
	std::array<uint8_t, 16> bytes{};
};

struct ClassedPrefix {
	Source address;
	uint32_t bits;
	uint32_t class_id;

	bool contains(const Source &source) const;
};

struct GuardTable {
	tt_guard_root root;
	std::vector<ClassedPrefix> prefixes;
	std::vector<uint32_t> node_blocks; // those that hold no root

	// Of the longest prefix that contains the source, of equal ones the last; 0 without any.
	uint32_t class_of(const Source &source) const;
};

// Two tables beside each other in one heap, the first block nobody's.
struct GuardTables {
	std::array<GuardTable, 2> table;
	std::vector<uint32_t> words;

	// Throws std::runtime_error on a file that is not one.
	explicit GuardTables(const std::string &file);

	uint32_t blocks() const { return words.size() / TT_HEAP_BLOCK_WORDS; }
	// Has the guard read the heap in this shape, without its blocks [from, from + count). Flat, these must be the last.
	void install(bool is_flat, uint32_t from, uint32_t count) const;
	// In both shapes.
	void set_word(uint32_t offset, uint32_t value) const;

    private:
	fuzz_map *blocks_, *flat_;
};

} // namespace fuzz

#endif
