// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Frames for the guard, and what their source is. Shares no code with bpf/stages.
#ifndef TT_FUZZ_GUARD_FRAMES_H
#define TT_FUZZ_GUARD_FRAMES_H

#include <optional>

#include "guard-table.h"
#include "input.h"

namespace fuzz {

// At an edge of one of the table's prefixes, somewhere within, or anywhere.
Source choose_source(const GuardTable &table, Input &input);

// With tags, other ethertypes, cut or noisy, as the input says.
std::vector<uint8_t> frame_from(const Source &source, Input &input);

// Read from the standards: a whole header's source, behind up to two VLAN tags. Nothing if there is none.
std::optional<Source> source_of(const std::vector<uint8_t> &frame);

} // namespace fuzz

#endif
