// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Steps of a story that chance seldom takes: a connection in full swing, then one packet against one defence.
#include <algorithm>

#include "story.h"

namespace fuzz {

namespace {

constexpr uint8_t kSyn = 0x02, kAck = 0x10;
constexpr uint32_t kV4Ttl = 22, kV6HopLimit = 21, kV4Length = 16, kV6Length = 18, kV6Source = 22, kV6Destination = 38;
// What a later fragment may claim to be part of, whatever its first one was.
constexpr int kNext[] = { 60, 17, 59, 0, 6, -1, 58, 43 };

// The IP header's own: frames may have been damaged.
bool is_v4_frame(const Frame &frame)
{
	return frame[12] == 0x08 && frame[13] == 0x00 && frame.size() >= 34;
}

bool is_v6_frame(const Frame &frame)
{
	return frame[12] == 0x86 && frame[13] == 0xdd && frame.size() >= 54;
}

void set_length(Frame &frame, uint8_t bytes)
{
	const bool is_v4 = is_v4_frame(frame);

	if (!is_v4 && !is_v6_frame(frame))
		return;
	frame[is_v4 ? kV4Length : kV6Length] = 0;
	frame[(is_v4 ? kV4Length : kV6Length) + 1] = is_v4 ? 20 + bytes : bytes;
}

} // namespace

void Story::probe(uint8_t op)
{
	const uint8_t how = input_.byte();
	std::optional<Sent> found;

	if (how & 1 || told_.empty())
		found = between_workloads(how & 2);
	if (!found && told_.empty())
		return;
	const Sent sent = found ? *found : earlier();
	// An interface that is nobody's has no connection to speak of.
	if (sent.passage.endpoint < 0)
		return;
	switch (op >> 5) {
	case 0:
		return probe_mac(sent);
	case 1:
		return probe_last_hop(sent);
	case 2:
		return probe_fragments(sent);
	case 3:
		return probe_length(sent);
	case 4:
		return probe_mapped(sent);
	case 5:
		return probe_padding(sent);
	case 6:
		return probe_interface(sent);
	default:
		return probe_change(sent);
	}
}

// Until the flow cache answers, if policy lets it.
void Story::warm(const Sent &sent)
{
	Spec spec = sent.spec;

	spec.has_fragment = false;
	spec.extensions.clear();
	spec.option_words = 0;
	spec.hop_limit = 64;
	spec.layer4_limit = 255;
	if (spec.tuple.protocol == 6) {
		const Passage passage = sent.passage;

		spec.tcp_flags = kSyn;
		send(spec, passage);
		const Spec reply = reply_to(spec);
		const bool is_local = machine_.model.owner_of(reply.tuple.source) >= 0;
		send(reply, towards(is_local ? reply.tuple.source : reply.tuple.destination, is_local));
		spec.tcp_flags = kAck;
	}
	send(spec, sent.passage);
	send(spec, sent.passage);
}

void Story::probe_mac(Sent sent)
{
	const uint8_t how = input_.byte();

	warm(sent);
	sent = told_.back();
	sent.frame[6 + how % 6] ^= 1 << (how >> 5);
	send_frame(std::move(sent));
}

// On the fast path and, with an option or a header more, on the slow one.
void Story::probe_last_hop(Sent sent)
{
	const uint8_t how = input_.byte();

	warm(sent);
	sent = told_.back();
	if (how & 2) {
		sent.spec.option_words = 1;
		sent.spec.extensions = { { 60, 0, 0 } };
		sent = made(sent.spec, sent.passage);
	}
	if (is_v4_frame(sent.frame))
		sent.frame[kV4Ttl] = how & 1;
	else if (is_v6_frame(sent.frame))
		sent.frame[kV6HopLimit] = how & 1;
	send_frame(std::move(sent));
}

void Story::probe_fragments(const Sent &sent)
{
	const uint8_t how = input_.byte();
	Spec spec = sent.spec;

	spec.layer4_limit = 255;
	spec.has_fragment = spec.has_more = true;
	spec.fragment_offset = 0;
	send(spec, sent.passage);
	spec.fragment_next = kNext[how & 7];
	spec.fragment_offset = 1 + (how >> 3 & 3);
	send(spec, sent.passage);
}

// The packet ends before its headers do, the frame does not.
void Story::probe_length(const Sent &sent)
{
	const uint8_t how = input_.byte();
	Spec spec = sent.spec;

	if (how & 0x80) {
		spec.has_fragment = true;
		spec.fragment_offset = how & 0x40 ? 3 : 0;
	}
	if (how & 0x20)
		spec.extensions.assign(1 + (how & 1), { 60, 0, 0 });
	Sent lying = made(spec, sent.passage);
	set_length(lying.frame, how & 0x1f);
	send_frame(std::move(lying));
}

void Story::probe_mapped(const Sent &sent)
{
	const uint8_t how = input_.byte();
	Spec spec = sent.spec;

	if (spec.tuple.source.is_v4()) {
		spec.is_mapped = true;
		return send(spec, sent.passage);
	}
	Sent mapped = made(spec, sent.passage);
	for (const Address &address : world_.endpoints[sent.passage.endpoint].addresses)
		if (address.is_v4())
			std::copy(address.bytes.begin(), address.bytes.end(),
				  mapped.frame.begin() + (how & 1 ? kV6Source : kV6Destination));
	send_frame(std::move(mapped));
}

// An error that cites more than the packet holds: what it cites goes on behind the packet's end.
void Story::probe_padding(const Sent &sent)
{
	const uint8_t how = input_.byte();
	Spec cited = sent.spec;

	if (how & 1)
		cited.extensions.assign(1 + (how >> 1 & 1), { 60, 0, 0 });
	send(cited, sent.passage);
	const Spec error = error_about(told_.back(), how & 4);
	const bool is_local = machine_.model.owner_of(error.tuple.source) >= 0;
	Sent lying = made(error, towards(is_local ? error.tuple.source : error.tuple.destination, is_local));
	if (how & 8)
		set_length(lying.frame, 8 + (how >> 4) * 6);
	send_frame(std::move(lying));
}

void Story::probe_interface(Sent sent)
{
	warm(sent);
	sent = told_.back();
	sent.passage.endpoint = input_.below(world_.endpoints.size());
	send_frame(std::move(sent));
}

void Story::probe_change(const Sent &sent)
{
	warm(sent);
	const Sent cached = told_.back();
	change();
	send_frame(cached);
}

} // namespace fuzz
