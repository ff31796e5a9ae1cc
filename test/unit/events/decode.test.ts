import { describe, expect, it } from 'vitest';
import { Event, EventKind, encodeEvent, Hook, Reason } from '../../../src/abi/event.gen.ts';
import { decodeEvents } from '../../../src/events/decode.ts';
import { describeEvent } from '../../../src/observe/flow-record.ts';

const RECORD: Event = {
  jiffies: 1n,
  kind: EventKind.DENIED,
  reason: Reason.DROP_INGRESS_POLICY,
  hook: Hook.FROM_WORKLOAD,
  protocol: 6,
  ifindex: 12,
  source: { word: [0, 0, 0xffff, 0x0a000001] },
  destination: { word: [0xfd000000, 0, 0, 2] },
  source_port: 40000,
  destination_port: 443,
  icmp_type: 0,
  icmp_code: 0,
  tcp_flags: 2,
  family: 4,
  egress_word: 0x101,
  ingress_word: 0x202,
  generation: 9,
  length: 60,
  out_ifindex: 0,
  egress_scope: 0,
  ingress_scope: 0,
  is_reply: 1,
};

/** As the addon hands records over: length, record, padding to 8. */
function chunkOf(...records: readonly Event[]): Uint8Array {
  const stride = 4 + Math.ceil(Event.SIZE / 8) * 8;
  const chunk = new Uint8Array(records.length * stride);
  const view = new DataView(chunk.buffer);
  for (const [index, record] of records.entries()) {
    view.setUint32(index * stride, Event.SIZE, true);
    encodeEvent(view, index * stride + 4, record);
  }
  return chunk;
}

describe('decodeEvents', () => {
  it('decodes every record of a chunk', () => {
    const events = decodeEvents(chunkOf(RECORD, { ...RECORD, kind: EventKind.NEW_FLOW, family: 6 }));
    expect(events.map(({ kind }) => kind)).toEqual(['denied', 'new-flow']);
    expect(events[0]).toMatchObject({
      reason: 'drop_ingress_policy',
      hook: 'from_workload',
      source: { family: 4, words: [0x0a000001] },
      sourcePort: 40000,
      destinationPort: 443,
      tcpFlags: 2,
      ingressWord: 0x202,
      isReply: true,
      generation: 9,
    });
    expect(events[1]?.destination).toEqual({ family: 6, words: [0xfd000000, 0, 0, 2] });
  });

  it('leaves out records of kinds that it does not know', () => {
    expect(decodeEvents(chunkOf({ ...RECORD, kind: 99 as Event['kind'] }, RECORD))).toHaveLength(1);
  });
});

describe('decodeEvents, of a chunk that is not whole', () => {
  const whole = chunkOf(RECORD, RECORD);
  const stride = whole.length / 2;
  const withLength = (length: number): Uint8Array => {
    const chunk = whole.slice();
    new DataView(chunk.buffer).setUint32(stride, length, true);
    return chunk;
  };

  it.each([
    { what: 'ends inside a length', chunk: whole.subarray(0, stride + 3) },
    { what: 'ends before a record', chunk: whole.subarray(0, stride + 4) },
    { what: 'ends inside a record', chunk: whole.subarray(0, whole.length - 1) },
    { what: 'has a record shorter than an event', chunk: withLength(Event.SIZE - 1) },
    { what: 'has a record of no length', chunk: withLength(0) },
    { what: 'has a record longer than itself', chunk: withLength(0xffffffff) },
  ])('refuses one that $what', ({ chunk }) => {
    expect(() => decodeEvents(chunk)).toThrowError(
      expect.objectContaining({ code: 'INTERNAL', operation: 'decode events', field: `record at byte ${stride}` }),
    );
  });

  it('decodes one without records to none', () => {
    expect(decodeEvents(new Uint8Array())).toEqual([]);
  });
});

describe('describeEvent', () => {
  it('names both ends, the interface and the decisions of each side', () => {
    const [event] = decodeEvents(chunkOf(RECORD));
    const names = {
      endpointAt: () => 'shop/web',
      verdict: (word: number) => ({
        verdict: word & 1 ? ('allow' as const) : ('deny' as const),
        trace: [{ tier: 'default', kind: 'np', name: `p${word >>> 8}`, action: 'deny', ruleIndex: 0 } as const],
        ...(word >>> 8 === 2 && {
          pending: {
            verdict: 'allow' as const,
            trace: [{ tier: 'default', kind: 'snp', name: 'p3', action: 'allow', ruleIndex: 1 } as const],
          },
        }),
      }),
      interfaceName: () => 'caliweb',
    };
    const record = describeEvent(event as NonNullable<typeof event>, names, new Date(0));
    expect(record).toMatchObject({
      time: '1970-01-01T00:00:00.000Z',
      interface: 'caliweb',
      source: '10.0.0.1',
      sourceEndpoint: 'shop/web',
      protocol: 'TCP',
      egress: { verdict: 'allow', trace: ['0|default|np:p1|deny|0'] },
      ingress: {
        verdict: 'deny',
        trace: ['0|default|np:p2|deny|0'],
        pending: { verdict: 'allow', trace: ['0|default|snp:p3|allow|1'] },
      },
    });
  });
});
