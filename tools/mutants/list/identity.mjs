// Defences of the stages that ask who sends and what it may: spoof, neighbour, begin, judge, host, related. Each entry removes one.
const T = '\t';

export const identityMutants = [
  [
    'spoof.h',
    'the last bytes of the MAC',
    '*(const tt_any32 *)a == *(const tt_any32 *)b && *(const tt_any16 *)(a + 4) == *(const tt_any16 *)(b + 4);',
    '*(const tt_any32 *)a == *(const tt_any32 *)b;',
  ],
  ['spoof.h', 'the first bytes of the MAC', 'return *(const tt_any32 *)a == *(const tt_any32 *)b && ', 'return '],
  ['spoof.h', 'the source MAC', 'return tt_drop(packet, TT_REASON_DROP_SPOOFED_MAC);', 'return TT_CONTINUE;'],
  ['spoof.h', 'the unspecified address belongs to nobody', ' && !tt_ip_is_zero(&packet->source))', ')'],
  ['spoof.h', 'the source address', 'return tt_drop(packet, TT_REASON_DROP_SPOOFED_ADDRESS);', 'return TT_CONTINUE;'],
  ['spoof.h', 'prefixes only where given', '(endpoint->flags & TT_ENDPOINT_MORE_SOURCES) && ', ''],
  ['spoof.h', 'prefixes only to whom given', 'bpf_htonl(context->endpoint->id)', 'bpf_htonl(1)'],

  ['neighbour.h', 'hop limit 255', 'return packet->hop_limit == 255;', 'return true;'],
  [
    'neighbour.h',
    'link scope',
    'return tt_allow(packet, TT_REASON_ALLOWED_NEIGHBOUR);\n\treturn TT_CONTINUE;',
    ';\n\treturn tt_allow(packet, TT_REASON_ALLOWED_NEIGHBOUR);',
  ],
  ['neighbour.h', 'no discovery in fragments', 'packet->fragment || !tt_is_link_message', '!tt_is_link_message'],
  [
    'neighbour.h',
    'no router advertisements',
    'case TT_ROUTER_SOLICITATION:',
    `case TT_ROUTER_SOLICITATION:\n${T}case 134:`,
  ],
  ['neighbour.h', 'no redirects', 'case TT_ROUTER_SOLICITATION:', `case TT_ROUTER_SOLICITATION:\n${T}case 137:`],
  ['neighbour.h', 'discovery is ICMPv6', 'packet->protocol != TT_PROTO_ICMPV6 || ', ''],
  ['neighbour.h', 'multicast of link scope', 'half[0]) >> 48 == 0xff02', 'half[0]) >> 56 == 0xff'],
  [
    'neighbour.h',
    'messages of discovery and no others',
    `default:\n${T}${T}return false;`,
    `default:\n${T}${T}return true;`,
  ],

  ['begin.h', 'an endpoint that has its policy', 'if (!(context->endpoint->flags & TT_ENDPOINT_READY))', 'if (0)'],
  ['begin.h', 'the endpoint of this interface', 'if (endpoint && endpoint->ifindex == ifindex)', 'if (endpoint)'],

  ['judge.h', 'a denial', 'if (word & TT_WORD_DENY)', 'if (0)'],
  [
    'judge.h',
    'a hole in the tables',
    'word & TT_WORD_ALLOW ? TT_CONTINUE : tt_drop(packet, TT_REASON_DROP_TABLE_HOLE);',
    'TT_CONTINUE;',
  ],
  [
    'judge.h',
    'the policy of the receiver',
    'return tt_judge_side(packet->peer_id, true, false);',
    'return TT_CONTINUE;',
  ],
  ['judge.h', 'a receiver without policy', 'if (!packet->is_peer_ready)', 'if (0)'],
  ['judge.h', 'what the host sends, and nothing else', 'if (!context->skb->ingress_ifindex) {', 'if (1) {'],
  [
    'judge.h',
    'the policy of the sender',
    'verdict = tt_judge_side(context->endpoint->id, false, false);',
    'verdict = TT_CONTINUE;',
  ],
  ['judge.h', 'the sender, judged again', 'if (sender != TT_NO_ENDPOINT)', 'if (0)'],
  ['judge.h', 'the receiver, judged again', 'if (verdict == TT_CONTINUE && receiver != TT_NO_ENDPOINT)', 'if (0)'],

  [
    'host.h',
    'the setting that cuts off the host',
    'return tt_drop(packet, TT_REASON_DROP_HOST);',
    'return TT_CONTINUE;',
  ],
  [
    'host.h',
    'what the host would take',
    'return result == BPF_FIB_LKUP_RET_NOT_FWDED || result == BPF_FIB_LKUP_RET_FWD_DISABLED;',
    'return false && result;',
  ],
  ['host.h', 'only where it is set', '!(context->state->flags & TT_STATE_HOST_DROP) || ', ''],

  [
    'related.h',
    'the receiver of an error sent what it cites',
    `if (!tt_ip_equal(&cited->source, &packet->destination))\n${T}${T}return false;`,
    '',
  ],
  [
    'related.h',
    'a workload cites what it received',
    'return tt_ip_equal(&cited->destination, &packet->source);',
    'return true;',
  ],
  ['related.h', 'no errors about revoked flows', '!tt_flow_is_revoked(&entry->flow) && ', ''],
  [
    'related.h',
    'no errors about flows that have ended',
    '!tt_is_expired(context, packet->jiffies, cited->protocol, &entry->flow) &&',
    '',
  ],
  [
    'related.h',
    'no errors about flows that wait to be judged',
    ' && tt_flow_is_current(context, packet, &entry->flow);',
    ';',
  ],
  ['related.h', 'a cited fragment has no ports', ' || (ip.frag_off & bpf_htons(TT_IPV4_OFFSET))', ''],
  ['related.h', 'the version of a cited header', 'ip.version != 4 || ', ''],
  ['related.h', 'the length of a cited header', ' || ip.ihl < 5', ''],
  ['related.h', 'no errors in fragments', ' || packet->fragment)', ')'],
  [
    'related.h',
    'redirects are no errors',
    'type == TT_ICMP_TIME_EXCEEDED ||',
    'type == TT_ICMP_TIME_EXCEEDED || type == 5 ||',
  ],
  [
    'related.h',
    'an error that cites no flow',
    `if (!tt_is_of_transit(packet, &cited) && !tt_is_cited_allowed(&context, packet, &cited))\n${T}${T}return TT_CONTINUE;`,
    '(void)tt_is_cited_allowed(&context, packet, &cited);',
  ],
  ['related.h', 'protocol of the cited packet', 'cited->protocol = ip.protocol;', 'cited->protocol = TT_PROTO_TCP;'],
];
