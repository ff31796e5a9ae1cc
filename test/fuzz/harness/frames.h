// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Frames made from what a fuzzer's bytes ask for: right by default, wrong where asked. Knows no verdict.
#ifndef TT_FUZZ_FRAMES_H
#define TT_FUZZ_FRAMES_H

#include <cstdint>
#include <vector>

#include "input.h"
#include "wire.h"

namespace fuzz {

struct Extension {
	uint8_t kind;
	uint8_t length; // as the header says
	uint16_t fragment;
};

struct Spec {
	Question tuple;
	uint8_t tcp_flags = 0x10, hop_limit = 64, option_words = 0;
	uint16_t echo = 1;
	bool has_fragment = false;
	uint16_t fragment_offset = 0; // in 8 bytes
	bool has_more = false;
	uint32_t fragment_id = 0;
	int fragment_next = -1; // what IPv6's fragment header says follows; -1: what does
	bool is_mapped = false; // IPv4 addresses, but in IPv6's header
	uint8_t payload = 8;
	uint8_t layer4_limit = 255; // bytes of the final header and its payload that are there
	std::vector<Extension> extensions;
	std::vector<uint8_t> cited; // an ICMP error's content
};

using Frame = std::vector<uint8_t>;

// source and destination MACs as in the frame: destination first.
Frame make_frame(const Spec &spec, const uint8_t *to_mac, const uint8_t *from_mac);

// The one that goes the other way: ports and echo types turned, ACK set.
Spec reply_to(const Spec &spec);

// Flips, cuts and lies, as the input says.
void damage(Frame &frame, Input &input);

} // namespace fuzz

#endif
