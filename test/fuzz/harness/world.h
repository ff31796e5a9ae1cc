// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// A world as the control plane exported it (tools/fuzz/export-world.ts): tables, endpoints, and the reference evaluator's
// answers. Puts the tables into the pretend kernel; judges nothing itself.
#ifndef TT_FUZZ_WORLD_H
#define TT_FUZZ_WORLD_H

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "stages.h"

namespace fuzz {

// Of either family; IPv4 as ::ffff:a.b.c.d.
struct Address {
	std::array<uint8_t, 16> bytes{};

	bool is_v4() const;
	bool is_zero() const;
	auto operator<=>(const Address &) const = default;
};

// What is asked about a connection, in the direction that it was opened in.
struct Question {
	Address source, destination;
	uint8_t protocol = 0;
	uint16_t source_port = 0, destination_port = 0;
	uint8_t icmp_type = 0, icmp_code = 0;
	auto operator<=>(const Question &) const = default;
};

struct Prefix {
	Address address;
	uint32_t bits;
	bool is_v4; // as it was written: ::/0 holds no IPv4 address, ::ffff:0:0/96 nothing that is ever sent

	bool contains(const Address &other) const;
};

struct Endpoint {
	uint32_t id = 0, ifindex = 0, flags = 0, slot = 0;
	bool has_address = true; // tt_addresses leads to it
	uint8_t mac[6], host_mac[6];
	std::vector<Address> addresses;
	std::vector<Prefix> prefixes;

	bool owns(const Address &address) const;
	bool may_send_from(const Address &address) const;
};

enum class Answer : uint8_t { None = 0, Allow = 1, Deny = 2, Unknown = 3 };

struct Sides {
	Answer egress = Answer::Unknown, ingress = Answer::Unknown;
	bool is_egress_logged = false, is_ingress_logged = false;
};

struct World {
	std::vector<Endpoint> endpoints;
	std::vector<Address> addresses[2]; // IPv4, IPv6
	std::vector<Question> combos;	   // without addresses

	// Throws std::runtime_error on a file that is not one.
	explicit World(const std::string &file);

	// What the reference evaluator says under one of the two policies; unknown if it was not asked.
	Sides answer(int policy, const Question &question) const;

	// Endpoints, addresses and tables into the pretend kernel's maps.
	void install(bool is_flat) const;
	const uint32_t *root(int policy) const { return roots_[policy].data(); }

    private:
	std::vector<uint32_t> heap_, nodes_;
	std::vector<std::pair<tt_source_key, uint32_t>> sources_; // as src/kernel would write them
	std::array<uint32_t, 5> roots_[2];
	std::vector<uint8_t> answers_[2][2]; // by policy, family
	std::unordered_map<uint64_t, uint32_t> combo_numbers_;
	fuzz_map *blocks_ = nullptr, *flat_ = nullptr, *node_map_ = nullptr;

	void make_maps();
};

// Into tt_endpoints; an endpoint that is not ready stays there without its flag.
void write_endpoint(const Endpoint &endpoint);
void write_addresses(const Endpoint &endpoint);

} // namespace fuzz

#endif
