// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// What must become of a packet: connections as docs/design/dataplane.md describes them, in plain maps, with verdicts from
// the reference evaluator. No cache, no hashing, no table that fills up. Shares no code with bpf/stages.
#ifndef TT_FUZZ_MODEL_H
#define TT_FUZZ_MODEL_H

#include <map>
#include <optional>

#include "wire.h"

namespace fuzz {

// What a program did with a packet.
struct Outcome {
	uint32_t reason;
	uint32_t egress_word, ingress_word;
};

// Where and when a packet is seen.
struct Place {
	bool is_from_workload;
	int endpoint; // -1: an interface that is nobody's
	bool is_from_host;
	uint64_t jiffies;
	const uint8_t *source_mac;
};

constexpr uint32_t kFirstDrop = TT_REASON_DROP_EGRESS_POLICY;

struct Settings {
	bool keeps_established = false;
	bool drops_host = false;
	bool is_host_route = false; // the routing table would not forward
};

struct Expected {
	uint32_t reason = 0;
	bool is_any_parse_reason = false;
	bool is_logged = false;	     // of a new flow; see is_log_known
	bool is_log_known = false;
};

enum class Kind : uint8_t { Ports, Echo, OtherIcmp, Protocol };

// A connection's name, laid out as struct tt_flow_key so that the two can be compared.
struct Key {
	Address address[2];
	uint8_t port[2][2] = {};
	uint8_t protocol = 0;
	Kind kind = Kind::Ports;
	uint8_t pad[2] = {};
	auto operator<=>(const Key &) const = default;
};

struct Passed {
	uint64_t jiffies = 0;
	uint32_t stamp = 0; // 0: never
};

struct Connection {
	uint32_t generation;
	Question opened; // as its first packet asked
	Address initiator;
	uint16_t initiator_port;
	bool is_from_host = false, is_revoked = false;
	Answer egress = Answer::None, ingress = Answer::None;
	int state = 0; // 0 new, 1 replied, 2 established, 3 closing, 4 closed
	bool has_fin[2] = {};
	uint64_t seen;
	Passed last_passed; // not by the cache
};

class Model {
    public:
	explicit Model(const World &world) : world_(world) {}

	// Set by the harness as it changes the machine.
	std::vector<Endpoint> endpoints;
	Settings settings;
	uint32_t generation = 1;
	uint32_t stamp = 1; // what is cached under another one is void
	int policy = 0;

	// What must have happened to the packet; remembers what it did to its connection. The outcome is only looked at
	// where the reference evaluator was not asked, and for whether the flow cache answered.
	Expected follow(const Wire &wire, const uint8_t *frame, size_t size, const Place &place, const Outcome &outcome);

	// The local endpoint that owns an address, -1 = none.
	int owner_of(const Address &address) const;

	std::map<Key, Connection> connections;
	// It lost its place in a table without room, or to a connection of the same name. What is cached of it goes on for the
	// rest of its second.
	void leave(const Key &key, const Connection &connection);
	bool is_expired(const Key &key, const Connection &connection, uint64_t now) const;

    private:
	struct Packet;
	struct FragmentKey {
		Address source, destination;
		uint32_t id;
		uint8_t protocol;
		auto operator<=>(const FragmentKey &) const = default;
	};
	struct First {
		uint64_t seen;
		Wire wire;
	};

	uint32_t judge(Packet &packet);
	uint32_t judge_again(Packet &packet, bool is_reply);
	Answer side(Packet &packet, int endpoint, bool is_ingress, const Question &question);
	std::optional<uint32_t> join_fragment(Packet &packet);
	bool is_cited(const Packet &packet);
	bool is_cached_since(const Packet &packet, const Passed &passed) const;
	bool is_cached_relic(const Packet &packet, const Key &key) const;
	uint32_t pass(Packet &packet);
	uint32_t open(Packet &packet, const Key &key);
	uint32_t reopen(Packet &packet, const Key &key, Connection &connection, bool is_reply);
	uint32_t go_on(Packet &packet, Connection &connection, bool is_reply);
	uint32_t revoke(Packet &packet, Connection &connection, uint32_t reason);
	Connection *find(const Key &key, uint64_t now);

	const World &world_;
	std::map<FragmentKey, First> firsts_;
	// Of connections that have left.
	std::map<Key, Passed> relics_;
	// Verdicts that nobody was asked for must at least always be the same.
	std::map<std::tuple<int, int, bool, Question>, Answer> said_;
};

Key key_of(const Wire &wire, Kind kind);
Kind kind_of(const Wire &wire);

} // namespace fuzz

#endif
