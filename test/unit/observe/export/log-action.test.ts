import { describe, expect, it } from 'vitest';
import type { FlowEvent } from '../../../../src/events/event.ts';
import { parseAddress } from '../../../../src/model/address.ts';
import {
  describePacket,
  expandPrefix,
  formatPacket,
  type LoggedRule,
} from '../../../../src/observe/export/log-action.ts';

const RULE: LoggedRule = {
  tier: 'security',
  kind: 'np',
  namespace: 'shop',
  name: 'web',
  direction: 'ingress',
  index: 3,
};

describe('expandPrefix', () => {
  it.each([
    ['calico-packet', 'calico-packet: '],
    ['%t %k %n %p', 'security np web shop/web: '],
    ['%p%p', 'shop/webshop/web: '],
    ['100%% %x %', '100%% %x %: '],
    ['', ': '],
  ])('%j', (prefix, text) => {
    expect(expandPrefix(prefix, RULE)).toBe(text);
  });

  it('has the name alone where there is no namespace', () => {
    expect(expandPrefix('%p', { ...RULE, kind: 'gnp', namespace: undefined })).toBe('web: ');
  });

  it('does not expand what names contain', () => {
    expect(expandPrefix('%n', { ...RULE, name: '$&%t' })).toBe('$&%t: ');
  });
});

describe('describePacket', () => {
  const event: FlowEvent = {
    kind: 'log',
    reason: 'allowed_new',
    hook: 'to_workload',
    ifindex: 4,
    outIfindex: 0,
    source: parseAddress('10.0.0.1'),
    destination: parseAddress('10.0.0.2'),
    protocol: 6,
    sourcePort: 40000,
    destinationPort: 80,
    icmpType: 0,
    icmpCode: 0,
    tcpFlags: 2,
    isReply: false,
    egressWord: 0,
    ingressWord: 0,
    generation: 1,
    length: 60,
  };

  it('has the names of netfilter in their order', () => {
    const names = { inInterface: 'cali1', outInterface: '', destinationEndpoint: 'shop/db-0' };
    expect(formatPacket(describePacket(event, names))).toBe(
      'IN=cali1 OUT= SRC=10.0.0.1 DST=10.0.0.2 LEN=60 PROTO=TCP SPT=40000 DPT=80 VERDICT=allow DSTEP=shop/db-0',
    );
  });

  it('has type and code of ICMP, and says that a packet was denied', () => {
    const icmp = { ...event, kind: 'denied', protocol: 1, icmpType: 8 } as const;
    expect(describePacket(icmp, { inInterface: 'a', outInterface: 'b' })).toEqual({
      IN: 'a',
      OUT: 'b',
      SRC: '10.0.0.1',
      DST: '10.0.0.2',
      LEN: 60,
      PROTO: 'ICMP',
      TYPE: 8,
      CODE: 0,
      VERDICT: 'deny',
    });
  });
});
