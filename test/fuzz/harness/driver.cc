// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include "driver.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <unistd.h>

#include "kernel.h"

namespace fuzz {

bool is_traced;

namespace {

constexpr uint32_t kInputsPerTelling = 4096;

uint64_t packets_run, most_packets = UINT64_MAX;
std::vector<uint64_t> ends_seen;

void print_statistics()
{
	const char *file = getenv("TORTIE_FUZZ_STATISTICS");
	FILE *stream = file ? fopen(file, "w") : nullptr;

	if (!stream)
		return;
	fprintf(stream, "%llu", (unsigned long long)packets_run);
	for (const uint64_t count : ends_seen)
		fprintf(stream, " %llu", (unsigned long long)count);
	fputc('\n', stream);
	fclose(stream);
}

} // namespace

std::vector<std::string> begin_driver(uint32_t ends)
{
	const char *named = getenv("TORTIE_FUZZ_WORLDS");
	const std::string list = named ? named : "";
	std::vector<std::string> files;

	ends_seen.resize(ends);
	is_traced = getenv("TORTIE_FUZZ_TRACE") != nullptr;
	if (const char *limit = getenv("TORTIE_FUZZ_PACKETS"))
		most_packets = strtoull(limit, nullptr, 10);
	for (size_t start = 0, end; start < list.size(); start = end + 1) {
		end = std::min(list.find(':', start), list.size());
		files.push_back(list.substr(start, end - start));
	}
	if (files.empty())
		fuzz_fail("TORTIE_FUZZ_WORLDS names no file: run npm run fuzz");
	atexit(print_statistics);
	return files;
}

void count_packet(uint32_t end)
{
	packets_run++;
	ends_seen[end]++;
}

void end_input()
{
	static uint32_t inputs;

	// A fuzzer that is stopped from outside does not run its exit handlers.
	if (++inputs % kInputsPerTelling == 0)
		print_statistics();
	if (packets_run < most_packets)
		return;
	print_statistics();
	_exit(0); // libFuzzer would take exit() for a crash
}

} // namespace fuzz
