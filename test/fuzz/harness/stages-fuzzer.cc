// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Target `stages`: the setting that each story begins in.
#include <memory>

#include "driver.h"
#include "story.h"

namespace {

std::vector<std::unique_ptr<fuzz::World>> worlds;

} // namespace

extern "C" int LLVMFuzzerInitialize(int *, char ***)
{
	fuzz_stages_define();
	for (const std::string &file : fuzz::begin_driver(TT_REASON_COUNT))
		worlds.push_back(std::make_unique<fuzz::World>(file));
	return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz::Input input(data, size);
	const fuzz::World &world = *worlds[input.below(worlds.size())];
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
	fuzz::end_input();
	return 0;
}
