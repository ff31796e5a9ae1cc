import { describe, expect, it } from 'vitest';
import { commentOf, toNamedPacket } from '../../../../src/observe/capture/captured-record.ts';
import { PcapSection } from '../../../../src/observe/capture/section.ts';
import type { FlowRecord } from '../../../../src/observe/flow-record.ts';

const record: FlowRecord = {
  time: '2026-01-01T00:00:00.000Z',
  kind: 'denied',
  reason: 'drop_ingress_policy',
  interface: 'calia',
  hook: 'from_workload',
  source: '10.0.0.1',
  sourceEndpoint: 'shop/web',
  destination: '10.0.0.2',
  destinationEndpoint: 'shop/db',
  protocol: 'TCP',
  sourcePort: 1,
  destinationPort: 2,
  egress: { verdict: 'allow', trace: ['0|default|np:shop/web|allow|0'] },
  ingress: { verdict: 'deny', trace: ['0|first|gnp:pass|pass|1', '1|default|np:shop/db|deny|-1'] },
  generation: 1,
  length: 60,
};

describe('the comment of a packet', () => {
  it('names the rule that had the last word, and those of both sides', () => {
    expect(commentOf({ record, verdict: 'deny' })).toBe(
      'verdict=deny reason=drop_ingress_policy rule=1|default|np:shop/db|deny|-1 egress=0|default|np:shop/web|allow|0 ' +
        'ingress=1|default|np:shop/db|deny|-1 source=shop/web destination=shop/db hook=from_workload',
    );
  });

  it('is of the sender where that one denied, and of nobody where no policy did', () => {
    const denied = {
      ...record,
      egress: { verdict: 'deny' as const, trace: ['0|t|np:a/b|deny|0'] },
      ingress: undefined,
    };
    expect(commentOf({ record: denied, verdict: 'deny' })).toContain(' rule=0|t|np:a/b|deny|0 ');
    const spoofed = { ...record, reason: 'drop_spoofed_mac', egress: undefined, ingress: undefined };
    expect(commentOf({ record: spoofed, verdict: 'deny' })).not.toContain('rule=');
  });

  it('cannot pass for another one, nor act on a terminal', () => {
    const hostile = { ...record, sourceEndpoint: 'a/b verdict=allow\u001b[2J\n\u202e' };
    const comment = commentOf({ record: hostile, verdict: 'deny' });
    expect(comment.match(/ verdict=/g)).toBeNull();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(comment).not.toMatch(/[\u0000-\u001f\u202e]/);
  });
});

describe('a section', () => {
  const packet = (name: string, link: 'ethernet' | 'ip') =>
    toNamedPacket({
      record: { ...record, interface: name },
      verdict: 'deny',
      direction: 'inbound',
      link,
      timeNs: 5n,
      length: 4,
      bytes: Uint8Array.of(1, 2, 3, 4),
    });
  const typeOf = (block: Uint8Array) => new DataView(block.buffer).getUint32(0, true);
  const idOf = (block: Uint8Array) => new DataView(block.buffer).getUint32(8, true);

  it('describes each interface once, before its first packet, and by what its packets begin with', () => {
    const section = new PcapSection({}, 128);
    const all = [packet('a', 'ethernet'), packet('b', 'ethernet'), packet('a', 'ip'), packet('a', 'ethernet')];
    const blocks = all.map((one) => section.packet(one));
    expect(blocks.map((one) => one.map(typeOf))).toEqual([[1, 6], [1, 6], [1, 6], [6]]);
    expect(blocks.map((one) => idOf(one.at(-1) as Uint8Array))).toEqual([0, 1, 2, 0]);
  });

  it('tells what is missing even if there was no packet', () => {
    const section = new PcapSection({}, 128);
    const blocks = section.statistics({ timeNs: 2n, startNs: 1n, received: 7n, dropped: 7n });
    expect(blocks.map(typeOf)).toEqual([1, 5]);
  });
});
