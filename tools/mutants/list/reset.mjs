// Defences of what tells the ends of a revoked connection. Each entry removes one.
const RESET = 'reset';

export const resetMutants = [
  [
    'reset.h',
    'nobody is told where flows are to be dropped',
    'return (state->flags & TT_STATE_RESET_REVOKED) && packet->protocol',
    'return packet->protocol',
    RESET,
  ],
  ['reset.h', 'fragments are not answered', '&& !packet->fragment &&', '&&', RESET],
  [
    'reset.h',
    'no RST is answered by another',
    '(packet->tcp_flags & (TT_TCP_RST | TT_TCP_ACK)) == TT_TCP_ACK',
    '(packet->tcp_flags & TT_TCP_ACK)',
    RESET,
  ],
  [
    'reset.h',
    'nothing is answered that acknowledges nothing',
    '(packet->tcp_flags & (TT_TCP_RST | TT_TCP_ACK)) == TT_TCP_ACK',
    '!(packet->tcp_flags & TT_TCP_RST)',
    RESET,
  ],
  [
    'reset.h',
    'headers of other lengths are not answered',
    ' && packet->layer4 == tt_reset_layer4(packet);',
    ';',
    RESET,
  ],
  [
    'reset.h',
    'the receiver is told once for each change',
    'is_news = packet->reason == TT_REASON_DROP_REVOKED;',
    'is_news = true;',
    RESET,
  ],
  ['reset.h', 'a mark of somebody else is no pass', 'skb->mark != tt_reset_mark(state))', '!skb->mark)', RESET],
  ['reset.h', 'the mark ends at the next hook', '\tskb->mark = 0;\n\treturn true;', '\treturn true;', RESET],
  ['reset.h', 'the mark is told by no number that is known', 'return (__u32)state->flow_seed | 1;', 'return 1;', RESET],
  [
    'reset.h',
    'an endpoint that has taken the place of another is told nothing of its flows',
    ' || !endpoint || endpoint->id != local->id)',
    ' || !endpoint)',
    RESET,
  ],
  [
    'reset.h',
    'what was routed is told by way of the stack',
    'if (packet->revoked != TT_REVOKED_LOCAL || !endpoint',
    'if (!endpoint',
    RESET,
  ],
  [
    'reset.h',
    'the next RST starts from the frame as it was',
    '\tif (is_back)\n\t\ttt_reset_turn_back(skb);\n',
    '',
    RESET,
  ],
  ['reset.h', 'the header checksum', 'ip->check = tt_sum_fold(', 'ip->check = 1 + tt_sum_fold(', RESET],
  ['reset.h', 'the checksum of TCP', 'tt_reset_fold(sum), 0);', 'tt_reset_fold(sum + 1), 0);', RESET],
];
