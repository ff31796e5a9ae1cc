// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// What packets of a story are about: ends, protocols, shapes, and errors that cite others.
#include <algorithm>

#include "story.h"

namespace fuzz {

namespace {

constexpr uint8_t kFlags[] = { 0x02, 0x12, 0x10, 0x11, 0x14, 0x04, 0x00, 0x3f, 0x01, 0x18, 0x03, 0x06 };
constexpr uint32_t kAttempts = 64;
constexpr uint8_t kExtensions[] = { 0, 43, 60, 44, 0, 60, 51, 59 };
// The last hop, the one before it, and what discovery must have.
constexpr uint8_t kHops[] = { 64, 1, 0, 2, 255, 255, 1, 65 };

} // namespace

uint8_t Story::any_flags()
{
	return kFlags[input_.below(sizeof(kFlags))];
}

// A known address, every other time one of this host.
Address Story::far_address(bool is_v4)
{
	const auto &known = world_.addresses[is_v4 ? 0 : 1];
	const uint8_t which = input_.byte();
	std::vector<Address> local;

	if (which & 0x80)
		for (const Endpoint &endpoint : world_.endpoints)
			for (const Address &address : endpoint.addresses)
				if (address.is_v4() == is_v4)
					local.push_back(address);
	return local.empty() ? known[which % known.size()] : local[which % local.size()];
}

// An own address of the endpoint, one beyond, any of the combinations that the evaluator was asked about.
Spec Story::fresh_spec(int endpoint, bool is_from_workload)
{
	const auto &own = world_.endpoints[endpoint].addresses;
	const Address here = own[input_.below(own.size())];
	const Address there = far_address(here.is_v4());
	Spec spec;

	spec.tuple = world_.combos[input_.half() % world_.combos.size()];
	spec.tuple.source = is_from_workload ? here : there;
	spec.tuple.destination = is_from_workload ? there : here;
	if (spec.tuple.protocol == 6)
		spec.tcp_flags = any_flags();
	if (is_icmp(spec.tuple.protocol))
		spec.echo = input_.below(3);
	if (spec.tuple.icmp_type == 137)
		spec.tuple.icmp_type = 130 + input_.below(8);
	return spec;
}

// The endpoint is there for all, and may get what others send without the stack.
void Story::open_door(int endpoint)
{
	const Endpoint &known = machine_.model.endpoints[endpoint];
	const uint32_t flags = known.flags | TT_ENDPOINT_READY | TT_ENDPOINT_PEER_DELIVERY;

	if (!known.has_address)
		machine_.set_addressed(endpoint, true);
	if (known.flags != flags)
		machine_.set_flags(endpoint, flags);
}

// What one workload of this host may send to another, both being there. Nothing if that is not soon found.
std::optional<Story::Sent> Story::between_workloads(bool is_v4)
{
	const uint32_t first = input_.byte(), second = input_.byte(), combo = input_.half();
	std::vector<std::pair<int, Address>> ends;
	Spec spec;

	for (size_t endpoint = 0; endpoint < world_.endpoints.size(); endpoint++)
		for (const Address &address : world_.endpoints[endpoint].addresses)
			if (address.is_v4() == is_v4)
				ends.emplace_back(endpoint, address);
	for (uint32_t attempt = 0; attempt < kAttempts && !ends.empty(); attempt++) {
		const auto &[sender, source] = ends[(first + attempt / 4) % ends.size()];
		const auto &[receiver, destination] = ends[(second + attempt) % ends.size()];

		spec.tuple = world_.combos[(combo + 13 * attempt) % world_.combos.size()];
		spec.tuple.source = source;
		spec.tuple.destination = destination;
		const Sides sides = world_.answer(machine_.model.policy, spec.tuple);
		if (sender == receiver || sides.egress != Answer::Allow || sides.ingress != Answer::Allow)
			continue;
		open_door(sender);
		open_door(receiver);
		return made(spec, { true, sender });
	}
	return {};
}

void Story::shape(Spec &spec, uint8_t how)
{
	spec.payload = how & 1 ? input_.byte() : 8;
	if (how & 2) {
		const uint8_t which = input_.byte();

		spec.hop_limit = kHops[which & 7];
		if (which >> 4 == 5)
			spec.layer4_limit = input_.below(21);
	} else {
		spec.hop_limit = 64;
	}
	spec.option_words = how & 4 ? input_.below(11) : 0;
	if (how & 8) {
		spec.has_fragment = true;
		spec.fragment_offset = how & 16 ? input_.byte() : 0;
		spec.has_more = input_.byte() & 1;
		spec.fragment_id = input_.below(4);
	}
	if (how & 32)
		for (uint32_t left = input_.below(10); left; left--)
			spec.extensions.push_back({ kExtensions[input_.byte() & 7], uint8_t(input_.below(4)), input_.half() });
	if (how & 64)
		spec.tuple.source = world_.addresses[spec.tuple.source.is_v4() ? 0 : 1][input_.below(
			world_.addresses[spec.tuple.source.is_v4() ? 0 : 1].size())];
	if (how & 128)
		spec.tuple.destination_port = input_.half();
}

Passage Story::towards(const Address &address, bool is_from_workload)
{
	Passage passage;

	passage.is_from_workload = is_from_workload;
	passage.endpoint = machine_.model.owner_of(address);
	if (passage.endpoint < 0)
		passage.endpoint = input_.below(world_.endpoints.size());
	return passage;
}

// As the side that sends it makes it.
Story::Sent Story::made(const Spec &spec, const Passage &passage) const
{
	const Endpoint &endpoint = world_.endpoints[passage.endpoint];
	const uint8_t *to = passage.is_from_workload ? endpoint.host_mac : endpoint.mac;
	const uint8_t *from = passage.is_from_workload ? endpoint.mac : endpoint.host_mac;

	return { spec, make_frame(spec, to, from), passage };
}

// Sent back by the cited packet's receiver.
Spec Story::error_about(const Sent &cited, bool is_exceeded)
{
	const bool is_v4 = cited.spec.tuple.source.is_v4() && !cited.spec.is_mapped;
	const size_t size = std::min<size_t>(cited.frame.size() - 14, 8 + input_.byte());
	Spec spec;

	spec.tuple.protocol = is_v4 ? 1 : 58;
	spec.tuple.icmp_type = is_v4 ? (is_exceeded ? 11 : 3) : 1 + input_.below(4);
	spec.tuple.icmp_code = is_v4 && !is_exceeded ? 4 : 0;
	spec.tuple.source = cited.spec.tuple.destination;
	spec.tuple.destination = cited.spec.tuple.source;
	spec.cited.assign(cited.frame.begin() + 14, cited.frame.begin() + 14 + size);
	return spec;
}

} // namespace fuzz
