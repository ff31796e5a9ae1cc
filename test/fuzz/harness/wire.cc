// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include "wire.h"

#include <algorithm>
#include <cstring>

namespace fuzz {

namespace {

constexpr uint32_t kEthernet = 14, kHeadersLimit = 2048;

uint16_t be16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

uint32_t be32(const uint8_t *at)
{
	return uint32_t(be16(at)) << 16 | be16(at + 2);
}

Address v4_at(const uint8_t *at)
{
	Address address;

	address.bytes[10] = address.bytes[11] = 0xff;
	std::copy(at, at + 4, address.bytes.begin() + 12);
	return address;
}

Address v6_at(const uint8_t *at)
{
	Address address;

	std::copy(at, at + 16, address.bytes.begin());
	return address;
}

Wire refused()
{
	Wire wire;

	wire.is_refused = true;
	return wire;
}

bool is_extension(uint8_t protocol)
{
	return protocol == 0 || protocol == 43 || protocol == 44 || protocol == 60;
}

struct Chain {
	uint8_t protocol;
	uint32_t at;
	uint32_t fragment = 0; // where its header is
	uint16_t bits = 0;
};

// RFC 8200, 4. Nothing if the chain leaves its bounds. A later fragment's chain ends at its fragment header.
std::optional<Chain> walk_chain(const uint8_t *frame, size_t size, Chain chain, uint32_t end)
{
	for (int count = 0; is_extension(chain.protocol); count++) {
		if (count == 8 || chain.at + 8 > end || chain.at + 8 > size)
			return {};
		const uint8_t *header = frame + chain.at;
		if (chain.protocol == 44) {
			chain.fragment = chain.at;
			chain.bits = be16(header + 2);
			chain.at += 8;
		} else {
			chain.at += (header[1] + 1) * 8;
		}
		chain.protocol = header[0];
		if (chain.at > kHeadersLimit)
			return {};
		if (chain.bits & 0xfff8)
			break;
	}
	return chain;
}

void read_ports(Wire &wire, const uint8_t *header)
{
	if (has_ports(wire.tuple.protocol)) {
		wire.tuple.source_port = be16(header);
		wire.tuple.destination_port = be16(header + 2);
	} else {
		bool is_reply;

		wire.tuple.icmp_type = header[0];
		wire.tuple.icmp_code = header[1];
		wire.is_echo = is_echo_type(wire.tuple.protocol, header[0], header[1], &is_reply);
		if (wire.is_echo)
			wire.echo = be16(header + 4);
	}
}

Wire read_layer4(Wire wire, const uint8_t *frame)
{
	const uint32_t bytes = header_bytes(wire.tuple.protocol);

	if (wire.part == Part::Later)
		return wire.fragment_offset < bytes ? refused() : wire;
	if (wire.layer4 + bytes > wire.end || (bytes && wire.layer4 > kHeadersLimit))
		return refused();
	if (!bytes)
		return wire;
	if (wire.tuple.protocol == 6) {
		if (frame[wire.layer4 + 12] >> 4 < 5)
			return refused();
		wire.tcp_flags = frame[wire.layer4 + 13];
	}
	read_ports(wire, frame + wire.layer4);
	return wire;
}

// RFC 791, 3.1
Wire read_v4(const uint8_t *frame, size_t size, bool is_segmented)
{
	const uint8_t *ip = frame + kEthernet;
	const uint32_t there = size - kEthernet;
	Wire wire;

	if (there < 20 || ip[0] >> 4 != 4 || (ip[0] & 15) < 5)
		return refused();
	const uint32_t header = (ip[0] & 15) * 4;
	uint32_t total = be16(ip + 2);
	if (!total && is_segmented)
		total = there;
	if (total < header || total > there)
		return refused();
	const uint16_t bits = be16(ip + 6);
	wire.family = 4;
	wire.ip_bytes = total;
	wire.end = kEthernet + total;
	wire.layer4 = kEthernet + header;
	wire.tuple.protocol = ip[9];
	wire.tuple.source = v4_at(ip + 12);
	wire.tuple.destination = v4_at(ip + 16);
	wire.fragment_offset = (bits & 0x1fff) * 8;
	wire.fragment_id = be16(ip + 4);
	wire.fragment_protocol = ip[9];
	wire.part = wire.fragment_offset ? Part::Later : bits & 0x2000 ? Part::First : Part::Whole;
	return read_layer4(wire, frame);
}

Wire read_v6(const uint8_t *frame, size_t size, bool is_segmented)
{
	const uint8_t *ip = frame + kEthernet;
	const uint32_t there = size - kEthernet;
	Wire wire;

	if (there < 40 || ip[0] >> 4 != 6)
		return refused();
	uint32_t total = 40 + be16(ip + 4);
	if (total == 40 && is_segmented)
		total = there;
	if (total > there)
		return refused();
	wire.family = 6;
	wire.ip_bytes = total;
	wire.end = kEthernet + total;
	wire.hop_limit = ip[7];
	wire.tuple.source = v6_at(ip + 8);
	wire.tuple.destination = v6_at(ip + 24);
	if (wire.tuple.source.is_v4() || wire.tuple.destination.is_v4())
		return refused();
	const auto chain = walk_chain(frame, size, { ip[6], kEthernet + 40 }, wire.end);
	if (!chain)
		return refused();
	wire.tuple.protocol = wire.fragment_protocol = chain->protocol;
	wire.layer4 = chain->at;
	wire.fragment_offset = chain->bits & 0xfff8;
	wire.part = wire.fragment_offset ? Part::Later : chain->bits & 1 ? Part::First : Part::Whole;
	if (chain->fragment)
		wire.fragment_id = be32(frame + chain->fragment + 4);
	return read_layer4(wire, frame);
}

} // namespace

Wire read_frame(const uint8_t *frame, size_t size, const Metadata &metadata)
{
	const uint16_t ethertype = be16(frame + 12);

	if (metadata.is_tagged)
		return refused();
	if (ethertype == 0x0806) {
		Wire wire;

		wire.is_arp = true;
		return wire;
	}
	if (ethertype == 0x0800)
		return read_v4(frame, size, metadata.is_segmented);
	return ethertype == 0x86dd ? read_v6(frame, size, metadata.is_segmented) : refused();
}

std::optional<Wire> read_cited(const uint8_t *frame, size_t size, const Wire &error)
{
	const uint32_t start = error.layer4 + 8;
	const uint8_t *ip = frame + start;
	Wire cited;

	if (error.family == 4) {
		if (start + 20 > size || ip[0] >> 4 != 4 || (ip[0] & 15) < 5 || (be16(ip + 6) & 0x1fff))
			return {};
		cited.tuple.protocol = ip[9];
		cited.tuple.source = v4_at(ip + 12);
		cited.tuple.destination = v4_at(ip + 16);
		cited.layer4 = start + (ip[0] & 15) * 4;
	} else {
		if (start + 40 > size || ip[0] >> 4 != 6)
			return {};
		const auto chain = walk_chain(frame, size, { ip[6], start + 40 }, error.end);
		if (!chain || (chain->bits & 0xfff8))
			return {};
		cited.tuple.protocol = chain->protocol;
		cited.tuple.source = v6_at(ip + 8);
		cited.tuple.destination = v6_at(ip + 24);
		cited.layer4 = chain->at;
	}
	if (!header_bytes(cited.tuple.protocol))
		return cited;
	if (cited.layer4 + 8 > size)
		return {};
	read_ports(cited, frame + cited.layer4);
	if (is_icmp(cited.tuple.protocol) && !cited.is_echo)
		return {};
	return cited;
}

} // namespace fuzz
