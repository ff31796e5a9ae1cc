// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include "guard-frames.h"

#include <algorithm>

namespace fuzz {

namespace {

// IEEE 802.3, 3.1.1: two MACs, then the ethertype. 802.1Q, 9.3: a tag stands before it, with a type of its own.
constexpr size_t kMacs = 12, kType = 2, kTag = 4;
constexpr uint16_t kIpv4 = 0x0800, kIpv6 = 0x86dd, kCustomerTag = 0x8100, kServiceTag = 0x88a8;
// What is behind a third tag is for those who come after the guard.
constexpr int kMostTags = 2;
constexpr uint16_t kOthers[] = { 0x0806, kIpv6, kIpv4, 0x88cc, 0x9100, 0x0600, kCustomerTag, 0x0008 };

uint16_t be16(const std::vector<uint8_t> &frame, size_t at)
{
	return frame[at] << 8 | frame[at + 1];
}

void put16(std::vector<uint8_t> &frame, uint16_t value)
{
	frame.push_back(value >> 8);
	frame.push_back(value);
}

void fill_below(Source &source, uint32_t bits, bool is_set)
{
	for (uint32_t bit = bits; bit < (source.family == 4 ? 32u : 128u); bit++) {
		const uint8_t mask = 0x80 >> bit % 8;

		source.bytes[bit / 8] = is_set ? source.bytes[bit / 8] | mask : source.bytes[bit / 8] & ~mask;
	}
}

void step(Source &source, bool is_up)
{
	for (int at = source.family == 4 ? 3 : 15; at >= 0; at--) {
		source.bytes[at] += is_up ? 1 : 0xff;
		if (source.bytes[at] != (is_up ? 0x00 : 0xff))
			return;
	}
}

} // namespace

Source choose_source(const GuardTable &table, Input &input)
{
	const uint8_t how = input.byte();
	Source source{ how & 1 ? 4 : 6, {} };

	if ((how & 0x1c) == 0x1c || table.prefixes.empty()) {
		for (uint8_t &byte : source.bytes)
			byte = input.byte();
		return source;
	}
	const ClassedPrefix &prefix = table.prefixes[input.half() % table.prefixes.size()];
	source = prefix.address;
	fill_below(source, prefix.bits, how & 2);
	if (how & 4) // just past that edge
		step(source, how & 2);
	else if (how & 8) // within, if the prefix is short enough
		source.bytes[(source.family == 4 ? 3 : 15) - (how >> 5) % 4] ^= input.byte();
	return source;
}

std::vector<uint8_t> frame_from(const Source &source, Input &input)
{
	const uint8_t how = input.byte();
	const bool is_v4 = source.family == 4;
	std::vector<uint8_t> frame(kMacs, 0x02);

	for (int tags = how & 3; tags; tags--) {
		put16(frame, how & 4 ? kServiceTag : kCustomerTag);
		put16(frame, input.half());
	}
	put16(frame, (how & 0x38) == 0x38 ? kOthers[input.byte() & 7] : is_v4 ? kIpv4 : kIpv6);
	const size_t ip = frame.size();
	frame.resize(ip + (is_v4 ? 20 : 40) + (how & 0x40 ? input.byte() : 8));
	frame[ip] = is_v4 ? 0x45 : 0x60;
	std::copy_n(source.bytes.begin(), is_v4 ? 4 : 16, frame.begin() + ip + (is_v4 ? 12 : 8));
	if (how & 0x80) {
		const uint8_t what = input.byte();

		if (what & 1)
			frame[input.byte() % frame.size()] ^= 1 << input.below(8);
		if (what & 2)
			frame.resize(input.byte() % (frame.size() + 1));
		else if (what & 4)
			frame.resize(ip + (is_v4 ? 20 : 40) - (what >> 3 & 1));
	}
	return frame;
}

std::optional<Source> source_of(const std::vector<uint8_t> &frame)
{
	size_t at = kMacs;

	for (int tags = 0; tags < kMostTags && at + kType <= frame.size(); tags++) {
		if (be16(frame, at) != kCustomerTag && be16(frame, at) != kServiceTag)
			break;
		at += kTag;
	}
	if (at + kType > frame.size())
		return {};
	const uint16_t type = be16(frame, at);
	const size_t ip = at + kType;
	// RFC 791, 3.1; RFC 8200, 3.
	if (type == kIpv4 && ip + 20 <= frame.size()) {
		Source source{ 4, {} };

		std::copy_n(frame.begin() + ip + 12, 4, source.bytes.begin());
		return source;
	}
	if (type == kIpv6 && ip + 40 <= frame.size()) {
		Source source{ 6, {} };

		std::copy_n(frame.begin() + ip + 8, 16, source.bytes.begin());
		return source;
	}
	return {};
}

} // namespace fuzz
