// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// The packet that the model has in hand, for the model's own files only.
#ifndef TT_FUZZ_MODEL_PACKET_H
#define TT_FUZZ_MODEL_PACKET_H

#include "model.h"

namespace fuzz {

constexpr uint64_t kSecond = FUZZ_HZ;

struct Model::Packet {
	Wire wire;
	const uint8_t *frame;
	size_t size;
	const Place &place;
	const Outcome &outcome;
	Kind kind = Kind::Ports;
	Answer egress = Answer::None, ingress = Answer::None; // words that the packet ends with
	bool is_opened_by_host = false;
	bool is_logged = false, is_log_known = true;
};

bool is_reply_type(const Wire &wire);
bool is_error(const Wire &wire);
// The question of the connection that a reply belongs to.
Question turned(const Question &question);

} // namespace fuzz

#endif
