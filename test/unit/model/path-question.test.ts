import { describe, expect, it } from 'vitest';
import { formatPathAnswer, isPathQuestion, parsePathQuestion } from '../../../src/model/path-question.ts';

const TCP = { id: 1, src: '198.51.100.7', dst: '192.0.2.1', protocol: 'tcp', srcPort: 4000, dstPort: 8080 };
const TO_HOST = { ...TCP, hook: 'to-host', in: 'eth0' };

describe('isPathQuestion', () => {
  it.each([
    [TCP, false],
    [TO_HOST, true],
    [{ ...TCP, in: 'eth0' }, true],
    [{ ...TCP, dstPortBeforeNat: 80 }, true],
    [null, false],
    ['hook', false],
  ])('tells %j', (question, expected) => {
    expect(isPathQuestion(question)).toBe(expected);
  });
});

describe('parsePathQuestion', () => {
  it.each([
    [
      { hook: 'to-host', in: 'eth0' },
      { kind: 'to-host', in: 'eth0' },
    ],
    [
      { hook: 'from-host', out: 'eth0' },
      { kind: 'from-host', out: 'eth0' },
    ],
    [
      { hook: 'forward', in: 'eth0', out: 'eth1' },
      { kind: 'forward', in: 'eth0', out: 'eth1' },
    ],
  ])('reads %j', (fields, path) => {
    const { id, packet } = parsePathQuestion({ ...TCP, ...fields });
    expect(id).toBe(1);
    expect(packet.path).toEqual(path);
    expect(packet.beforeNat).toBeUndefined();
    expect(packet.flow.destinationPort).toBe(8080);
  });

  it.each([
    [{ dstBeforeNat: '203.0.113.1', dstPortBeforeNat: 80 }, 0xcb007101, 80],
    [{ dstBeforeNat: '203.0.113.1' }, 0xcb007101, 8080],
    [{ dstPortBeforeNat: 80 }, 0xc0000201, 80],
  ])('reads the destination before DNAT of %j', (fields, word, port) => {
    const { packet } = parsePathQuestion({ ...TO_HOST, ...fields });
    expect(packet.beforeNat?.destination.words).toEqual([word]);
    expect(packet.beforeNat?.destinationPort).toBe(port);
  });

  it.each([
    ['no hook', { in: 'eth0' }, 'hook: is not a hook'],
    ['another hook', { hook: 'input', in: 'eth0' }, 'hook: is not a hook'],
    ['no interface', { hook: 'to-host' }, 'in: is not an interface'],
    ['an interface that is no name', { hook: 'to-host', in: 3 }, 'in: is not an interface'],
    ['one interface of two', { hook: 'forward', in: 'eth0' }, 'out: is not an interface'],
    ['an interface too many', { hook: 'to-host', in: 'eth0', out: 'eth1' }, 'out: is not part of to-host'],
    [
      'a destination of another family',
      { hook: 'to-host', in: 'eth0', dstBeforeNat: '::1' },
      'dstBeforeNat: is of another',
    ],
    [
      'a port out of range',
      { hook: 'to-host', in: 'eth0', dstPortBeforeNat: 70000 },
      'dstPortBeforeNat: is not a whole',
    ],
    [
      'DNAT of what the host sends',
      { hook: 'from-host', out: 'eth0', dstBeforeNat: '10.0.0.1' },
      'dstBeforeNat: is not part of',
    ],
    ['a flow that is none', { hook: 'to-host', in: 'eth0', dst: 'x' }, 'dst: is not an IP address'],
  ])('refuses %s', (_what, fields, message) => {
    expect(() => parsePathQuestion({ ...TCP, ...fields })).toThrow(message);
  });
});

describe('formatPathAnswer', () => {
  it('shows stages in order with their traces, and pending verdicts where there are some', () => {
    const entry = { tier: 'default', kind: 'gnp', name: 'p', action: 'deny', ruleIndex: 0 } as const;
    const stage = { endpoint: 'a', direction: 'ingress', isLogged: false } as const;
    const answer = formatPathAnswer(7, {
      verdict: 'deny',
      stages: [
        { ...stage, stage: 'untracked', verdict: 'next', trace: [] },
        { ...stage, stage: 'normal', verdict: 'deny', trace: [entry], pending: { verdict: 'next', trace: [] } },
      ],
    });
    expect(answer).toEqual({
      id: 7,
      verdict: 'deny',
      stages: [
        { stage: 'untracked', endpoint: 'a', direction: 'ingress', verdict: 'next', trace: [] },
        {
          stage: 'normal',
          endpoint: 'a',
          direction: 'ingress',
          verdict: 'deny',
          trace: ['0|default|gnp:p|deny|0'],
          pending: { verdict: 'next', trace: [] },
        },
      ],
    });
  });
});
