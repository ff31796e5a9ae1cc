// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include "frames.h"

#include <cstring>

namespace fuzz {

namespace {

void put16(Frame &frame, uint16_t value)
{
	frame.push_back(value >> 8);
	frame.push_back(value);
}

void put_bytes(Frame &frame, const uint8_t *bytes, size_t size)
{
	frame.insert(frame.end(), bytes, bytes + size);
}

Frame layer4_of(const Spec &spec)
{
	const Question &tuple = spec.tuple;
	Frame out;

	if (has_ports(tuple.protocol)) {
		put16(out, tuple.source_port);
		put16(out, tuple.destination_port);
		out.resize(header_bytes(tuple.protocol));
		if (tuple.protocol == 6) {
			out[12] = 5 << 4;
			out[13] = spec.tcp_flags;
		}
	} else if (is_icmp(tuple.protocol)) {
		out = { tuple.icmp_type, tuple.icmp_code, 0, 0 };
		put16(out, spec.echo);
		put16(out, 1);
	}
	if (spec.cited.empty())
		out.resize(out.size() + spec.payload, 0x5a);
	put_bytes(out, spec.cited.data(), spec.cited.size());
	return out;
}

void put_extensions(Frame &frame, const Spec &spec)
{
	for (size_t index = 0; index < spec.extensions.size(); index++) {
		const Extension &extension = spec.extensions[index];
		const uint8_t next = index + 1 < spec.extensions.size() ? spec.extensions[index + 1].kind :
				     spec.has_fragment			? 44 :
									  spec.tuple.protocol;
		const size_t start = frame.size();

		frame.push_back(next);
		frame.push_back(extension.length);
		put16(frame, extension.fragment);
		frame.resize(start + (extension.kind == 44 ? 8 : (extension.length + 1) * 8));
	}
	if (!spec.has_fragment)
		return;
	frame.push_back(spec.fragment_next < 0 ? spec.tuple.protocol : spec.fragment_next);
	frame.push_back(0);
	put16(frame, spec.fragment_offset << 3 | spec.has_more);
	put16(frame, spec.fragment_id >> 16);
	put16(frame, spec.fragment_id);
}

void put_v4(Frame &frame, const Spec &spec, size_t payload)
{
	const uint16_t header = 20 + 4 * spec.option_words;
	const uint16_t bits = spec.has_fragment ? (spec.fragment_offset & 0x1fff) | (spec.has_more ? 0x2000 : 0) : 0x4000;

	frame.push_back(0x40 | header / 4);
	frame.push_back(0);
	put16(frame, header + payload);
	put16(frame, spec.fragment_id);
	put16(frame, bits);
	frame.push_back(spec.hop_limit);
	frame.push_back(spec.tuple.protocol);
	put16(frame, 0x1234); // no program here checks it
	put_bytes(frame, &spec.tuple.source.bytes[12], 4);
	put_bytes(frame, &spec.tuple.destination.bytes[12], 4);
	frame.resize(frame.size() + 4 * spec.option_words, 1);
}

void put_v6(Frame &frame, const Spec &spec, size_t payload)
{
	Frame chain;

	put_extensions(chain, spec);
	put16(frame, 0x6000);
	put16(frame, 0);
	put16(frame, chain.size() + payload);
	frame.push_back(!spec.extensions.empty() ? spec.extensions[0].kind :
			spec.has_fragment	 ? 44 :
						   spec.tuple.protocol);
	frame.push_back(spec.hop_limit);
	put_bytes(frame, spec.tuple.source.bytes.data(), 16);
	put_bytes(frame, spec.tuple.destination.bytes.data(), 16);
	put_bytes(frame, chain.data(), chain.size());
}

} // namespace

Frame make_frame(const Spec &spec, const uint8_t *to_mac, const uint8_t *from_mac)
{
	const bool is_v4 = spec.tuple.source.is_v4() && !spec.is_mapped;
	Frame frame, rest = layer4_of(spec);

	if (spec.has_fragment && spec.fragment_offset)
		rest.assign(8 + spec.payload, 0x77);
	if (rest.size() > spec.layer4_limit && spec.layer4_limit < 255)
		rest.resize(spec.layer4_limit);
	put_bytes(frame, to_mac, 6);
	put_bytes(frame, from_mac, 6);
	put16(frame, is_v4 ? 0x0800 : 0x86dd);
	if (is_v4)
		put_v4(frame, spec, rest.size());
	else
		put_v6(frame, spec, rest.size());
	put_bytes(frame, rest.data(), rest.size());
	return frame;
}

Spec reply_to(const Spec &spec)
{
	Spec reply = spec;
	Question &tuple = reply.tuple;
	bool is_reply;

	std::swap(tuple.source, tuple.destination);
	std::swap(tuple.source_port, tuple.destination_port);
	if (is_echo_type(tuple.protocol, tuple.icmp_type, tuple.icmp_code, &is_reply))
		tuple.icmp_type ^= tuple.protocol == 1 ? 8 : 1;
	if (tuple.protocol == 6)
		reply.tcp_flags = (spec.tcp_flags & 2) | 0x10;
	return reply;
}

void damage(Frame &frame, Input &input)
{
	const uint8_t what = input.byte();

	for (uint32_t count = what & 3; count; count--) {
		const uint32_t at = input.byte();
		const uint8_t value = input.byte();

		if (at < frame.size())
			frame[at] = what & 4 ? value : frame[at] ^ value;
	}
	if (what & 8)
		frame.resize(14 + input.byte() % (frame.size() - 13));
	if (what & 16)
		frame.resize(frame.size() + input.byte(), 0);
	if (what & 32)
		frame.insert(frame.begin() + 12, { 0x81, 0x00, 0x00, 0x01 });
	if (what & 64) {
		frame[12] = 0x08;
		frame[13] = 0x06;
	}
}

} // namespace fuzz
