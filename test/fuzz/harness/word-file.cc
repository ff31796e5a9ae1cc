// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include "word-file.h"

#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace fuzz {

WordFile::WordFile(const std::string &file)
{
	FILE *stream = fopen(file.c_str(), "rb");
	uint8_t chunk[65536];

	if (!stream)
		throw std::runtime_error(file + ": cannot be read");
	for (size_t got; (got = fread(chunk, 1, sizeof(chunk), stream)) > 0;)
		content_.insert(content_.end(), chunk, chunk + got);
	fclose(stream);
}

const uint8_t *WordFile::take(size_t size)
{
	if (content_.size() - at_ < size)
		throw std::runtime_error("a file for the harness ends early");
	at_ += size;
	return content_.data() + at_ - size;
}

uint32_t WordFile::word()
{
	uint32_t value;

	memcpy(&value, take(4), 4);
	return value;
}

std::vector<uint32_t> WordFile::words(uint32_t count)
{
	std::vector<uint32_t> values(count);

	for (uint32_t &value : values)
		value = word();
	return values;
}

void WordFile::copy_address(uint8_t *to, int words)
{
	for (int part = 0; part < words; part++) {
		const uint32_t value = word();

		for (int byte = 0; byte < 4; byte++)
			to[4 * part + byte] = value >> (24 - 8 * byte);
	}
}

} // namespace fuzz
