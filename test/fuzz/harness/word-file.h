// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Reads what tools/fuzz/word-file.ts writes: little-endian words and bytes in a row. Knows no content.
#ifndef TT_FUZZ_WORD_FILE_H
#define TT_FUZZ_WORD_FILE_H

#include <cstdint>
#include <string>
#include <vector>

namespace fuzz {

// Throws std::runtime_error for a file that cannot be read or ends early.
class WordFile {
    public:
	explicit WordFile(const std::string &file);

	const uint8_t *take(size_t size);
	uint32_t word();
	std::vector<uint32_t> words(uint32_t count);
	// So many words, most significant bytes first, as an address has them.
	void copy_address(uint8_t *to, int words);

    private:
	std::vector<uint8_t> content_;
	size_t at_ = 0;
};

} // namespace fuzz

#endif
