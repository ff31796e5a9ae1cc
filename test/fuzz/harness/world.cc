// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include "world.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "word-file.h"

namespace fuzz {

namespace {

constexpr uint32_t kMagic = 0x57465454, kVersion = 2;

uint64_t combo_key(const Question &question)
{
	return uint64_t(question.source_port) << 48 | uint64_t(question.destination_port) << 32 |
	       uint64_t(question.icmp_type) << 16 | uint64_t(question.icmp_code) << 8 | question.protocol;
}

Address read_address(WordFile &reader)
{
	Address result;

	reader.copy_address(result.bytes.data(), 4);
	return result;
}

Endpoint read_endpoint(WordFile &reader, uint32_t number)
{
	Endpoint endpoint;

	endpoint.id = reader.word();
	for (uint32_t left = reader.word(); left; left--)
		endpoint.addresses.push_back(read_address(reader));
	for (uint32_t left = reader.word(); left; left--) {
		const Address address = read_address(reader);
		const uint32_t bits = reader.word();

		endpoint.prefixes.push_back({ address, bits, reader.word() == 4 });
	}
	// Some numbers that share a slot, so that the search for one goes past others.
	endpoint.ifindex = 10 + 64 * (number % 3) + number / 2;
	for (uint32_t byte = 0; byte < 6; byte++) {
		endpoint.mac[byte] = byte == 0 ? 0x02 : byte == 5 ? number : 0xaa;
		endpoint.host_mac[byte] = byte == 0 ? 0x02 : byte == 5 ? number : 0xee;
	}
	return endpoint;
}

fuzz_map *make_map(const char *name, uint32_t value_size, uint32_t entries, const std::vector<uint32_t> &words)
{
	fuzz_map *ignored;
	fuzz_map *map = fuzz_map_define(&ignored, name, BPF_MAP_TYPE_ARRAY, entries, 4, value_size);

	for (size_t done = 0; done < words.size() * 4; done += value_size)
		memcpy(fuzz_map_at(map, 0, done / value_size), reinterpret_cast<const uint8_t *>(words.data()) + done,
		       std::min<size_t>(value_size, words.size() * 4 - done));
	return map;
}

} // namespace

bool Address::is_v4() const
{
	return std::all_of(bytes.begin(), bytes.begin() + 10, [](uint8_t byte) { return byte == 0; }) &&
	       bytes[10] == 0xff && bytes[11] == 0xff;
}

bool Address::is_zero() const
{
	return *this == Address{};
}

bool Prefix::contains(const Address &other) const
{
	if (other.is_v4() != is_v4)
		return false;
	for (uint32_t bit = 0; bit < bits; bit++)
		if ((address.bytes[bit / 8] ^ other.bytes[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

bool Endpoint::owns(const Address &address) const
{
	return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

bool Endpoint::may_send_from(const Address &address) const
{
	const auto covers = [&](const Prefix &prefix) { return prefix.contains(address); };

	return (owns(address) && !address.is_zero()) || std::any_of(prefixes.begin(), prefixes.end(), covers);
}

World::World(const std::string &file)
{
	WordFile reader(file);

	if (reader.word() != kMagic || reader.word() != kVersion)
		throw std::runtime_error(file + ": is no world of this harness");
	heap_ = reader.words(reader.word());
	nodes_ = reader.words(reader.word());
	for (auto &root : roots_)
		for (uint32_t &word : root)
			word = reader.word();
	const uint32_t count = reader.word();
	for (uint32_t number = 0; number < count; number++)
		endpoints.push_back(read_endpoint(reader, number));
	for (uint32_t left = reader.word(); left; left--) {
		tt_source_key key;

		memcpy(&key, reader.take(sizeof(key)), sizeof(key));
		sources_.emplace_back(key, reader.word());
	}
	for (auto &family : addresses)
		for (uint32_t left = reader.word(); left; left--)
			family.push_back(read_address(reader));
	for (uint32_t left = reader.word(); left; left--) {
		Question combo;

		combo.protocol = reader.word();
		combo.source_port = reader.word();
		combo.destination_port = reader.word();
		combo.icmp_type = reader.word();
		combo.icmp_code = reader.word();
		combo_numbers_.emplace(combo_key(combo), combos.size());
		combos.push_back(combo);
	}
	for (auto &policy : answers_)
		for (int family = 0; family < 2; family++) {
			const size_t size = addresses[family].size() * addresses[family].size() * combos.size();
			const uint8_t *bytes = reader.take(size);

			policy[family].assign(bytes, bytes + size);
		}
	make_maps();
}

Sides World::answer(int policy, const Question &question) const
{
	const int family = question.source.is_v4() ? 0 : 1;
	const auto &known = addresses[family];
	const auto source = std::find(known.begin(), known.end(), question.source);
	const auto destination = std::find(known.begin(), known.end(), question.destination);
	const auto combo = combo_numbers_.find(combo_key(question));

	if (source == known.end() || destination == known.end() || combo == combo_numbers_.end())
		return {};
	const size_t pair = (source - known.begin()) * known.size() + (destination - known.begin());
	const uint8_t bits = answers_[policy][family][pair * combos.size() + combo->second];
	return { Answer(bits & 3), Answer(bits >> 2 & 3), (bits & 16) != 0, (bits & 32) != 0 };
}

void World::make_maps()
{
	const uint32_t blocks = (heap_.size() + TT_HEAP_BLOCK_WORDS - 1) / TT_HEAP_BLOCK_WORDS;
	const uint32_t nodes = nodes_.size() * 4 / sizeof(tt_v6_node);

	blocks_ = make_map("tt_heap", sizeof(tt_heap_block), blocks, heap_);
	flat_ = make_map("tt_heap", heap_.size() * 4, 1, heap_);
	node_map_ = make_map("tt_v6_nodes", sizeof(tt_v6_node), nodes ? nodes : 1, nodes_);
}

void World::install(bool is_flat) const
{
	fuzz_stages_use(is_flat ? flat_ : blocks_, node_map_, is_flat, heap_.size());
	for (uint32_t slot = 0; slot < FUZZ_ENDPOINT_SLOTS; slot++)
		memset(fuzz_map_at(fuzz_stages.endpoints, 0, slot), 0, sizeof(tt_endpoint));
	fuzz_map_clear(fuzz_stages.addresses);
	fuzz_map_clear(fuzz_stages.sources);
	for (const auto &[key, value] : sources_)
		fuzz_map_put(fuzz_stages.sources, &key, &value);
}

void write_endpoint(const Endpoint &endpoint)
{
	auto *entry = static_cast<tt_endpoint *>(fuzz_map_at(fuzz_stages.endpoints, 0, endpoint.slot));
	const auto first = [&](bool is_v4) {
		for (const Address &address : endpoint.addresses)
			if (address.is_v4() == is_v4)
				return address;
		return Address{};
	};

	*entry = {};
	entry->ifindex = endpoint.ifindex;
	entry->flags = endpoint.flags;
	entry->id = endpoint.id;
	entry->mtu = 1500;
	memcpy(entry->mac, endpoint.mac, 6);
	memcpy(entry->host_mac, endpoint.host_mac, 6);
	memcpy(&entry->v4, first(true).bytes.data(), 16);
	memcpy(&entry->v6, first(false).bytes.data(), 16);
}

void write_addresses(const Endpoint &endpoint)
{
	const tt_local local{ endpoint.slot, endpoint.id };

	for (const Address &address : endpoint.addresses)
		fuzz_map_put(fuzz_stages.addresses, address.bytes.data(), &local);
}

} // namespace fuzz
