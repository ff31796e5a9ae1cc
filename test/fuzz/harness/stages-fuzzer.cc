// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Target `stages`: what libFuzzer and its caller say, and the setting that each story begins in.
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <unistd.h>

#include "story.h"

namespace fuzz {

namespace {

std::vector<std::unique_ptr<World>> worlds;
uint64_t most_packets = UINT64_MAX;

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
	if (const char *limit = getenv("TORTIE_FUZZ_PACKETS"))
		fuzz::most_packets = strtoull(limit, nullptr, 10);
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
	if (fuzz::packets_run >= fuzz::most_packets) {
		fuzz::print_statistics();
		_exit(0); // libFuzzer would take exit() for a crash
	}
	return 0;
}
