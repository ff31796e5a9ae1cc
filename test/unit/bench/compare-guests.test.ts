import { describe, expect, it } from 'vitest';
import { desiredStateOf } from '../../../src/agent/offline.ts';
import { guestsOf } from '../../../src/bench/compare-guests.ts';
import { worldFrom } from '../../support/world-from.ts';

function endpoint(pod: string, interfaceName: string | undefined, ...ipNetworks: readonly string[]): unknown {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'WorkloadEndpoint',
    metadata: { namespace: 'shop', name: `node-k8s-${pod}-eth0` },
    spec: { node: 'node', orchestrator: 'k8s', pod, endpoint: 'eth0', interfaceName, ipNetworks },
  };
}

const ENDPOINTS = [
  endpoint('a', 'calia', '10.0.0.1/32', 'fd00::1/128'),
  endpoint('b', undefined, '10.0.0.2/32'),
  endpoint('c', 'calic'),
  endpoint('d', 'calid', '10.0.0.4/32'),
];
const desired = desiredStateOf(worldFrom(ENDPOINTS.map((one) => JSON.stringify(one)).join('\n---\n')), '*');

describe('guests of a policy', () => {
  it('are the endpoints with an address and an interface, and one for everybody else', () => {
    const { specs, leftOut } = guestsOf(desired, 10);
    expect(specs.map(({ hostInterface, addresses }) => [hostInterface, ...addresses])).toEqual([
      ['calia', '10.0.0.1', 'fd00::1'],
      ['calid', '10.0.0.4'],
      ['tbench-outside'],
    ]);
    expect(leftOut).toBe(2);
  });

  it('are no more than asked for', () => {
    const { specs, leftOut } = guestsOf(desired, 1);
    expect(specs.map(({ hostInterface }) => hostInterface)).toEqual(['calia', 'tbench-outside']);
    expect(leftOut).toBe(3);
  });
});
