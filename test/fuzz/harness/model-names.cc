// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// What kind of connection a packet is of, and that connection's name.
#include <tuple>

#include "model-packet.h"

namespace fuzz {

bool is_reply_type(const Wire &wire)
{
	bool is_reply;

	return is_echo_type(wire.tuple.protocol, wire.tuple.icmp_type, wire.tuple.icmp_code, &is_reply) && is_reply;
}

bool is_error(const Wire &wire)
{
	const uint8_t type = wire.tuple.icmp_type;

	if (wire.part != Part::Whole)
		return false;
	if (wire.family == 4)
		return wire.tuple.protocol == 1 && (type == 3 || type == 11 || type == 12);
	return wire.tuple.protocol == 58 && type >= 1 && type <= 4;
}

Kind kind_of(const Wire &wire)
{
	bool is_reply;

	if (has_ports(wire.tuple.protocol))
		return Kind::Ports;
	if (!is_icmp(wire.tuple.protocol))
		return Kind::Protocol;
	return is_echo_type(wire.tuple.protocol, wire.tuple.icmp_type, wire.tuple.icmp_code, &is_reply) ? Kind::Echo :
													  Kind::OtherIcmp;
}

Key key_of(const Wire &wire, Kind kind)
{
	uint16_t source = wire.tuple.source_port, destination = wire.tuple.destination_port;
	bool is_swapped = std::tie(wire.tuple.source, source) > std::tie(wire.tuple.destination, destination);
	Key key;

	if (kind == Kind::Echo) {
		source = destination = wire.echo;
		is_swapped = is_reply_type(wire);
	} else if (kind == Kind::OtherIcmp) {
		source = wire.tuple.icmp_type;
		destination = wire.tuple.icmp_code;
		is_swapped = false;
	}
	const uint16_t low = is_swapped ? destination : source, high = is_swapped ? source : destination;
	key.address[0] = is_swapped ? wire.tuple.destination : wire.tuple.source;
	key.address[1] = is_swapped ? wire.tuple.source : wire.tuple.destination;
	key.port[0][0] = low >> 8;
	key.port[0][1] = low;
	key.port[1][0] = high >> 8;
	key.port[1][1] = high;
	key.protocol = wire.tuple.protocol;
	key.kind = kind;
	return key;
}

} // namespace fuzz
