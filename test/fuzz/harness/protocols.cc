// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// What sets protocols apart: which have ports, echoes, headers of their own.
#include "wire.h"

namespace fuzz {

bool has_ports(uint8_t protocol)
{
	return protocol == 6 || protocol == 17 || protocol == 132 || protocol == 136;
}

bool is_icmp(uint8_t protocol)
{
	return protocol == 1 || protocol == 58;
}

uint32_t header_bytes(uint8_t protocol)
{
	return protocol == 6 ? 20 : protocol == 132 ? 12 : has_ports(protocol) || is_icmp(protocol) ? 8 : 0;
}

bool is_echo_type(uint8_t protocol, uint8_t type, uint8_t code, bool *is_reply)
{
	const uint8_t reply = protocol == 1 ? 0 : 129, request = protocol == 1 ? 8 : 128;

	*is_reply = type == reply;
	return is_icmp(protocol) && code == 0 && (type == reply || type == request);
}

} // namespace fuzz
