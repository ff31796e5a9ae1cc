// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// What a frame means, read straight from the RFCs and docs/design/dataplane.md. Shares no code with bpf/stages: the
// programs are held to it.
#ifndef TT_FUZZ_WIRE_H
#define TT_FUZZ_WIRE_H

#include <cstdint>
#include <optional>

#include "world.h"

namespace fuzz {

enum class Part { Whole, First, Later };

struct Wire {
	bool is_refused = false; // no program may let it pass
	bool is_arp = false;
	int family = 0;
	Question tuple; // of a later fragment without ports, type and code
	uint8_t tcp_flags = 0, hop_limit = 0;
	uint16_t echo = 0; // identifier, if is_echo
	bool is_echo = false;
	Part part = Part::Whole;
	uint32_t fragment_id = 0, fragment_offset = 0;
	uint8_t fragment_protocol = 0; // as the fragment's own header says
	uint32_t ip_bytes = 0, end = 0, layer4 = 0;
};

struct Metadata {
	bool is_tagged = false; // the device took a VLAN tag off
	bool is_segmented = false;
};

bool has_ports(uint8_t protocol);
bool is_icmp(uint8_t protocol);
bool is_echo_type(uint8_t protocol, uint8_t type, uint8_t code, bool *is_reply);
// Bytes of header that must be there; 0 = a bare protocol.
uint32_t header_bytes(uint8_t protocol);

Wire read_frame(const uint8_t *frame, size_t size, const Metadata &metadata);

// The packet that an ICMP error cites, if what is left of it names a flow.
std::optional<Wire> read_cited(const uint8_t *frame, size_t size, const Wire &error);

} // namespace fuzz

#endif
