import { describe, expect, it } from 'vitest';
import { WordBits } from '../../../../src/abi/heap.gen.ts';
import { type DeniedEvent, HostDenials } from '../../../../src/agent/capture/host-denials.ts';
import { desiredStateOf } from '../../../../src/agent/offline.ts';
import type { NumberedInterface } from '../../../../src/kernel/host-table.ts';
import { worldFrom } from '../../../support/world-from.ts';

const [IN, OUT, OTHER, POD, UNKNOWN] = [2, 3, 4, 5, 99];
const INTERFACES: readonly NumberedInterface[] = [
  { ifindex: IN, name: 'eth0', kind: 'host', addresses: [] },
  { ifindex: OUT, name: 'eth1', kind: 'host', addresses: [] },
  { ifindex: OTHER, name: 'eth2', kind: 'host', addresses: [] },
  { ifindex: POD, name: 'cali1', kind: 'workload', addresses: [] },
];
const ENDPOINTS = [
  ['in', 'eth0'],
  ['out', 'eth1'],
  ['any', '*'],
];

function denials(endpoints: readonly (readonly string[])[]): HostDenials {
  const manifests = endpoints.map(([name, interfaceName]) =>
    JSON.stringify({
      apiVersion: 'projectcalico.org/v3',
      kind: 'HostEndpoint',
      metadata: { name },
      spec: { node: 'here', interfaceName },
    }),
  );
  return new HostDenials(desiredStateOf(worldFrom(manifests.join('\n---\n')), 'here'), INTERFACES);
}

const { ALLOW, DENY } = WordBits;
const event = (more: Partial<DeniedEvent>): DeniedEvent => ({
  hook: 'to_host',
  ifindex: IN,
  outIfindex: 0,
  isReply: false,
  egressWord: 0,
  ingressWord: 0,
  ...more,
});

describe('who has denied a packet at the hooks of the host', () => {
  const forward = { hook: 'forward', ifindex: IN, outIfindex: OUT } as const;
  const fromHost = { hook: 'from_host', ifindex: OUT, outIfindex: OUT } as const;

  it.each<[string, Partial<DeniedEvent>, string | undefined]>([
    ['what comes in', { ingressWord: DENY }, 'in'],
    ['an answer to what the host was to send', { egressWord: DENY, isReply: true }, 'in'],
    ['what the host sends', { ...fromHost, egressWord: DENY }, 'out'],
    ['an answer of the host', { ...fromHost, ingressWord: DENY, isReply: true }, 'out'],
    ['what is forwarded, where it came in', { ...forward, ingressWord: DENY }, 'in'],
    ['what is forwarded, where it would leave', { ...forward, ingressWord: ALLOW, egressWord: DENY }, 'out'],
    [
      'an answer that is forwarded, by the list of its request',
      { ...forward, ingressWord: DENY, isReply: true },
      'out',
    ],
    ['what a workload sends on', { ...forward, ifindex: POD, ingressWord: DENY }, 'any'],
    ['an interface without one of its own', { ifindex: OTHER, ingressWord: DENY }, 'any'],
    ['an interface that is not known yet', { ifindex: UNKNOWN, ingressWord: DENY }, 'any'],
    ['nobody, if no list said so', { ingressWord: 0 }, undefined],
    ['nobody, if all lists allowed it', { ...forward, ingressWord: ALLOW, egressWord: ALLOW }, undefined],
    ['no host endpoint, at a hook of a workload', { hook: 'from_workload', egressWord: DENY }, undefined],
  ])('is found for %s', (_, more, name) => {
    expect(denials(ENDPOINTS).denierOf(event(more))).toBe(name);
  });

  it('is nobody where no endpoint is responsible', () => {
    const one = denials([['in', 'eth0']]);
    const said = [IN, OTHER, POD, UNKNOWN].map((ifindex) => one.denierOf(event({ ifindex, ingressWord: DENY })));
    expect(said).toEqual(['in', undefined, undefined, undefined]);
  });
});
