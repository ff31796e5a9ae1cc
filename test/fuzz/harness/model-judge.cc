// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Whose policy a connection must pass, and what the reference evaluator says of it.
#include "model-packet.h"

namespace fuzz {

Question turned(const Question &question)
{
	Question result = question;
	bool is_reply;

	std::swap(result.source, result.destination);
	std::swap(result.source_port, result.destination_port);
	if (is_echo_type(result.protocol, result.icmp_type, result.icmp_code, &is_reply))
		result.icmp_type = result.protocol == 1 ? 8 : 128;
	return result;
}

int Model::owner_of(const Address &address) const
{
	for (size_t index = 0; index < endpoints.size(); index++)
		if (endpoints[index].has_address && endpoints[index].owns(address))
			return index;
	return -1;
}

// The reference evaluator judges by who owns the local address; for any other address it was not asked.
Answer Model::side(Packet &packet, int endpoint, bool is_ingress, const Question &question)
{
	const Sides sides = world_.answer(policy, question);
	const Address &local = is_ingress ? question.destination : question.source;
	const bool is_owner = endpoints[endpoint].owns(local);
	Answer answer = !is_owner ? Answer::Unknown : is_ingress ? sides.ingress : sides.egress;
	const uint32_t word = is_ingress ? packet.outcome.ingress_word : packet.outcome.egress_word;

	if (packet.outcome.reason == TT_REASON_ALLOWED_CACHED)
		fuzz_fail("the flow cache answered although policy has to be asked");
	if (answer == Answer::None)
		fuzz_fail("the exported world does not know the owner of a local address");
	if (answer == Answer::Unknown) {
		packet.is_log_known = false;
		if (!(word & (TT_WORD_ALLOW | TT_WORD_DENY)))
			fuzz_fail("endpoint %d, %s: not judged, or by a hole (word %#x)", endpoint,
				  is_ingress ? "ingress" : "egress", word);
		answer = word & TT_WORD_DENY ? Answer::Deny : Answer::Allow;
		const auto [said, is_new] = said_.try_emplace({ policy, endpoint, is_ingress, question }, answer);
		if (!is_new && said->second != answer)
			fuzz_fail("endpoint %d, %s: the same question got two answers", endpoint,
				  is_ingress ? "ingress" : "egress");
	} else {
		packet.is_logged |= is_ingress ? sides.is_ingress_logged : sides.is_egress_logged;
	}
	(is_ingress ? packet.ingress : packet.egress) = answer;
	return answer;
}

// The packet opens a connection. 0 = allowed, else why not.
uint32_t Model::judge(Packet &packet)
{
	const int here = packet.place.endpoint;

	if (!packet.place.is_from_workload) {
		if (packet.place.is_from_host) {
			packet.is_opened_by_host = true;
			return 0;
		}
		return side(packet, here, true, packet.wire.tuple) == Answer::Deny ? TT_REASON_DROP_INGRESS_POLICY : 0;
	}
	if (side(packet, here, false, packet.wire.tuple) == Answer::Deny)
		return TT_REASON_DROP_EGRESS_POLICY;
	const int peer = owner_of(packet.wire.tuple.destination);
	if (peer < 0)
		return settings.drops_host && settings.is_host_route ? TT_REASON_DROP_HOST : 0;
	if (!(endpoints[peer].flags & TT_ENDPOINT_READY))
		return TT_REASON_DROP_NOT_READY;
	return side(packet, peer, true, packet.wire.tuple) == Answer::Deny ? TT_REASON_DROP_INGRESS_POLICY : 0;
}

// The connection in the direction that it was opened in. 0 = allowed, else why not.
uint32_t Model::judge_again(Packet &packet, bool is_reply)
{
	const bool is_initiator_here = packet.place.is_from_workload != is_reply;
	const Question question = is_reply ? turned(packet.wire.tuple) : packet.wire.tuple;
	const int far = owner_of(packet.place.is_from_workload ? packet.wire.tuple.destination : packet.wire.tuple.source);
	const int sender = is_initiator_here ? packet.place.endpoint : far;
	const int receiver = is_initiator_here ? far : packet.place.endpoint;

	if (sender >= 0 && side(packet, sender, false, question) == Answer::Deny)
		return TT_REASON_DROP_EGRESS_POLICY;
	if (receiver >= 0 && side(packet, receiver, true, question) == Answer::Deny)
		return TT_REASON_DROP_INGRESS_POLICY;
	return 0;
}

} // namespace fuzz
