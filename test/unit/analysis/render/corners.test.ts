// Policies that generated ones seldom hit: marks that must not outlive their tier, and sets whose elements overlap.
import { describe, expect, it } from 'vitest';
import { renderIptables, renderNftables } from '../../../../src/analysis/render/render.ts';
import { type IpAddress, parseAddress } from '../../../../src/model/address.ts';
import type { Flow } from '../../../../src/model/flow.ts';
import { iptablesMachine } from './iptables-machine.ts';
import { nftablesMachine } from './nftables-machine.ts';
import { desiredWith } from './policy-world.ts';
import { runMachine } from './rule-machine.ts';

const FIRST_TIER = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'Tier',
  metadata: { name: 'first' },
  spec: { order: 1 },
};

function firstTier(egress: readonly unknown[]): unknown {
  const spec = { tier: 'first', selector: 'all()', types: ['Egress'], egress };
  return { apiVersion: 'projectcalico.org/v3', kind: 'GlobalNetworkPolicy', metadata: { name: 'first.rules' }, spec };
}

function flowTo(destination: string, destinationPort: number): Flow {
  const address = (text: string): IpAddress => parseAddress(text) as IpAddress;
  const rest = { protocol: 6, sourcePort: 40000, destinationPort, icmpType: 0, icmpCode: 0 };
  return { source: address('10.0.0.1'), destination: address(destination), ...rest };
}

const partOf = (action: string, ...notNets: readonly string[]): unknown => ({
  action,
  destination: { nets: ['10.1.0.0/16'], notNets },
});
const portsOf = (net: string, ...ports: readonly unknown[]): unknown => ({
  action: 'Allow',
  protocol: 'TCP',
  destination: { nets: [net], ports },
});

const MARKED = desiredWith([partOf('Allow', '10.1.5.0/24')], [FIRST_TIER, firstTier([partOf('Pass', '10.1.2.0/24')])]);
const OVERLAPPING = desiredWith([
  portsOf('10.1.0.0/16', '80:90'),
  portsOf('10.1.2.0/24', '85:95'),
  portsOf('10.1.2.3/32', 85, 99),
]);

const CASES = [
  { name: 'passed, then allowed', desired: MARKED, to: '10.1.9.1', port: 80, expected: 'allow' },
  { name: 'passed, then not allowed', desired: MARKED, to: '10.1.5.1', port: 80, expected: 'deny' },
  { name: 'not passed', desired: MARKED, to: '10.1.2.1', port: 80, expected: 'deny' },
  { name: 'in the widest element', desired: OVERLAPPING, to: '10.1.2.3', port: 80, expected: 'allow' },
  { name: 'in the one inside it', desired: OVERLAPPING, to: '10.1.2.9', port: 95, expected: 'allow' },
  { name: 'in the innermost', desired: OVERLAPPING, to: '10.1.2.3', port: 99, expected: 'allow' },
  { name: 'beside the innermost', desired: OVERLAPPING, to: '10.1.2.4', port: 99, expected: 'deny' },
] as const;

describe('a flow', () => {
  it.each(CASES)('$name is treated so by every text', ({ desired, to, port, expected }) => {
    const flow = flowTo(to, port);
    const nftables = (style: 'linear' | 'sets') =>
      runMachine(nftablesMachine(renderNftables(desired, { style, conntrack: false }), 4), 'forward', flow).verdict;
    const iptables = runMachine(iptablesMachine(renderIptables(desired, { conntrack: false }).ipv4), 'FORWARD', flow);
    expect([iptables.verdict, nftables('linear'), nftables('sets')]).toEqual([expected, expected, expected]);
  });
});
