// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Target `guard`: what a fuzzer's bytes make of tables and frames, told to the guard once for each shape of its heap.
#include <memory>

#include "driver.h"
#include "guard-machine.h"

namespace {

std::vector<std::unique_ptr<fuzz::GuardTables>> all_tables;

} // namespace

extern "C" int LLVMFuzzerInitialize(int *, char ***)
{
	fuzz_stages_define();
	for (const std::string &file : fuzz::begin_driver(fuzz::kGuardEnds))
		all_tables.push_back(std::make_unique<fuzz::GuardTables>(file));
	return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz::Input input(data, size);
	const fuzz::GuardTables &tables = *all_tables[input.below(all_tables.size())];

	fuzz_machine = {};
	fuzz::GuardMachine in_blocks(tables, input, nullptr);
	in_blocks.tell();
	if (in_blocks.is_flat_too())
		fuzz::GuardMachine(tables, input, &in_blocks).tell();
	fuzz::end_input();
	return 0;
}
