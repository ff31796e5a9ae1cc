// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// The fuzzer's bytes, as choices. Knows nothing of what is chosen.
#ifndef TT_FUZZ_INPUT_H
#define TT_FUZZ_INPUT_H

#include <cstddef>
#include <cstdint>

namespace fuzz {

// Read from its start; zeroes after its end.
class Input {
    public:
	Input(const uint8_t *data, size_t size) : at_(data), left_(size) {}

	bool is_empty() const { return !left_; }
	uint8_t byte()
	{
		if (!left_)
			return 0;
		left_--;
		return *at_++;
	}
	uint16_t half() { return byte() << 8 | byte(); }
	uint32_t below(uint32_t limit) { return limit ? byte() % limit : 0; }

    private:
	const uint8_t *at_;
	size_t left_;
};

} // namespace fuzz

#endif
