// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include "guard-machine.h"

#include <cstdio>
#include <cstring>
#include <memory>

#include "driver.h"

namespace fuzz {

namespace {

constexpr size_t kMaxFrames = 96;
// Roots that lead nowhere, besides the heap's own end.
constexpr uint32_t kNowhere[] = { 0x07ffffff, 0x7fffffff, 0x80000000, 0xffff0000 };

tt_guard_state *state()
{
	return static_cast<tt_guard_state *>(fuzz_map_at(fuzz_stages.guard_state, 0, 0));
}

tt_counter *counter(uint32_t cpu, uint32_t reason)
{
	return static_cast<tt_counter *>(fuzz_map_at(fuzz_stages.guard_drops, cpu, reason));
}

const char *name_of(GuardEnd end)
{
	return end == Passed ? "passed" : end == DroppedSource ? "dropped for its source" : "dropped by a hole";
}

void trace(const std::vector<uint8_t> &frame, GuardEnd end)
{
	fprintf(stderr, "%s, %u lookups missed, %zu bytes:", name_of(end), fuzz_machine.misses, frame.size());
	for (size_t at = 0; at < frame.size() && at < 80; at++)
		fprintf(stderr, "%s%02x", at % 4 == 2 ? " " : "", frame[at]);
	fputc('\n', stderr);
}

} // namespace

GuardMachine::GuardMachine(const GuardTables &tables, const Input &input, const GuardMachine *in_blocks) :
	tables_(tables), input_(input), in_blocks_(in_blocks)
{
	memset(state(), 0, sizeof(tt_guard_state));
	for (uint32_t cpu = 0; cpu < FUZZ_CPUS; cpu++)
		for (uint32_t reason = 0; reason < TT_GUARD_REASONS; reason++)
			memset(counter(cpu, reason), 0, sizeof(tt_counter));
	for (int number = 0; number < 2; number++)
		state()->root[number] = tables.table[number].root;
	fuzz_machine.cpu = 0;
	take_away();
}

GuardMachine::~GuardMachine()
{
	for (const uint32_t offset : patched_)
		tables_.set_word(offset, tables_.words[offset]);
}

// A table with a hole in it, or as it is.
void GuardMachine::take_away()
{
	const uint8_t what = input_.byte();
	const auto &nodes = tables_.table[what >> 7].node_blocks;
	uint32_t from = 0, count = 0;

	switch (what & 7) {
	case 0: // the last blocks
		count = input_.half() % (tables_.blocks() + 1);
		from = tables_.blocks() - count;
		break;
	case 1: // some in between, that hold nodes
	case 2: // any
		is_flat_too_ = false;
		from = input_.half();
		from = (what & 1) && !nodes.empty() ? nodes[from % nodes.size()] : from % tables_.blocks();
		count = 1 + (what >> 3 & 1);
		break;
	case 3:
		lead_root_away();
		break;
	case 4:
		lead_entry_away();
		break;
	default:
		break;
	}
	tables_.install(in_blocks_, from, count);
}

void GuardMachine::lead_root_away()
{
	const uint8_t how = input_.byte();
	tt_guard_root &root = state()->root[how >> 7];
	const uint32_t nowhere = how & 1 ? kNowhere[how >> 1 & 3] : uint32_t(tables_.words.size()) + (how >> 1 & 15);

	(how & 0x40 ? root.v4 : root.v6) = nowhere;
}

// On the way to one of the prefixes: from the root, or for IPv4 from the chunk below it.
void GuardMachine::lead_entry_away()
{
	const uint8_t how = input_.byte();
	const GuardTable &table = tables_.table[how >> 7];
	const uint16_t which = input_.half();

	if (table.prefixes.empty())
		return;
	const Source &source = table.prefixes[which % table.prefixes.size()].address;
	uint32_t at = (source.family == 4 ? table.root.v4 : table.root.v6) + (source.bytes[0] << 8 | source.bytes[1]);
	const uint32_t entry = tables_.words[at];
	if (!(entry & TT_GUARD_NODE))
		return;
	if (source.family == 4 && how & 1)
		at = (entry & TT_GUARD_OFFSET) + source.bytes[2];
	if (tables_.words[at] & TT_GUARD_NODE)
		patch(at, tables_.words[at] | TT_GUARD_OFFSET);
}

void GuardMachine::patch(uint32_t offset, uint32_t value)
{
	tables_.set_word(offset, value);
	patched_.push_back(offset);
}

void GuardMachine::tell()
{
	while (!input_.is_empty() && ends_.size() < kMaxFrames) {
		const uint8_t op = input_.byte();

		if ((op & 15) == 0)
			state()->active = active_ = 1 - active_;
		else if ((op & 15) == 1)
			fuzz_machine.cpu = op >> 4 & 1;
		else
			judge_frame();
	}
}

void GuardMachine::judge_frame()
{
	const Source about = choose_source(tables_.table[active_], input_);
	const std::vector<uint8_t> frame = frame_from(about, input_);
	const std::optional<Source> source = source_of(frame);
	const GuardEnd end = run(frame);
	const GuardEnd wanted = in_blocks_ ? in_blocks_->ends_[ends_.size()] : wanted_end(source);

	if (is_traced)
		trace(frame, end);
	if (end != wanted)
		fuzz_fail("%s, a frame was %s that had to be %s", in_blocks_ ? "flat" : "in blocks", name_of(end),
			  name_of(wanted));
	count(end, frame.size());
	ends_.push_back(end);
}

// What the prefixes say, and never that of a source whose way leads through a hole. In blocks only: a flat heap's holes
// are seen by nobody else.
GuardEnd GuardMachine::wanted_end(const std::optional<Source> &source) const
{
	if (fuzz_machine.misses)
		return DroppedHole;
	return source && tables_.table[active_].class_of(*source) == TT_GUARD_DROP ? DroppedSource : Passed;
}

GuardEnd GuardMachine::run(const std::vector<uint8_t> &frame)
{
	// Exactly as long as the frame: a read past it is a report.
	const std::unique_ptr<uint8_t[]> bytes(new uint8_t[frame.size()]);
	xdp_md context;

	memcpy(bytes.get(), frame.data(), frame.size());
	context.data = uintptr_t(bytes.get());
	context.data_end = context.data + frame.size();
	fuzz_run_begin();
	const int action = fuzz_guard(&context);
	fuzz_run_end();
	if (memcmp(bytes.get(), frame.data(), frame.size()))
		fuzz_fail("the guard changed a frame");
	if (action == XDP_PASS)
		return Passed;
	if (action != XDP_DROP)
		fuzz_fail("the guard returned action %d", action);
	const uint64_t holes = counter(fuzz_machine.cpu, TT_GUARD_DROP_HOLE)->packets;
	return holes == drops_[fuzz_machine.cpu][TT_GUARD_DROP_HOLE].packets ? DroppedSource : DroppedHole;
}

// Each drop once, under its reason, on its CPU, with its bytes; nothing else.
void GuardMachine::count(GuardEnd end, size_t bytes)
{
	if (end != Passed) {
		tt_counter &dropped =
			drops_[fuzz_machine.cpu][end == DroppedSource ? TT_GUARD_DROP_SOURCE : TT_GUARD_DROP_HOLE];

		dropped.packets++;
		dropped.bytes += bytes;
	}
	for (uint32_t cpu = 0; cpu < FUZZ_CPUS; cpu++)
		for (uint32_t reason = 0; reason < TT_GUARD_REASONS; reason++)
			if (memcmp(counter(cpu, reason), &drops_[cpu][reason], sizeof(tt_counter)))
				fuzz_fail("cpu %u, reason %u: %llu packets were counted instead of %llu, or other bytes", cpu, reason,
					  (unsigned long long)counter(cpu, reason)->packets,
					  (unsigned long long)drops_[cpu][reason].packets);
	count_packet(end);
}

} // namespace fuzz
