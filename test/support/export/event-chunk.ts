// Events of packets, without a kernel.
import { Event, encodeEvent, Hook, Reason } from '../../../src/abi/event.gen.ts';
import { WORD } from '../../../src/tables/layout.ts';

/** TCP packets from 10.0.0.1 to port 80 of 10.0.0.2, as the ring buffer hands them over; the first word is that of a Log rule. */
export function eventChunk(count: number, kind: number, ingressWord = WORD.LOG as number): Uint8Array {
  const step = 4 + Math.ceil(Event.SIZE / 8) * 8;
  const bytes = new Uint8Array(count * step);
  const view = new DataView(bytes.buffer);
  const address = (last: number) => ({ word: [0, 0, 0xffff, 0x0a000000 + last] });
  for (let n = 0; n < count; n += 1) {
    view.setUint32(n * step, Event.SIZE, true);
    encodeEvent(view, n * step + 4, {
      jiffies: 0n,
      kind: kind as 1,
      reason: Reason.ALLOWED_NEW,
      hook: Hook.TO_WORKLOAD,
      protocol: 6,
      ifindex: 3,
      source: address(1),
      destination: address(2),
      source_port: 40000 + n,
      destination_port: 80,
      icmp_type: 0,
      icmp_code: 0,
      tcp_flags: 2,
      family: 4,
      egress_word: 0,
      ingress_word: ingressWord,
      generation: 1,
      length: 60,
      out_ifindex: 0,
      egress_scope: 0,
      ingress_scope: 0,
      is_reply: 0,
    });
  }
  return bytes;
}
