import { describe, expect, it } from 'vitest';
import { formatEntry } from '../../../../src/analysis/outcome.ts';
import { deniedFlows } from '../../../../src/analysis/protect/preview.ts';
import { address, seenFlow } from '../../../support/protect/observations.ts';
import { worldFrom } from '../../../support/world-from.ts';

const WORLD = worldFrom(`
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: a, labels: {role: host}}
spec: {node: web-1, interfaceName: eth0}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: p}
spec:
  selector: role == 'host'
  types: [Ingress, Egress]
  ingress:
    - {action: Allow, protocol: TCP, destination: {ports: [80]}}
  egress:
    - {action: Deny, protocol: UDP, destination: {ports: [123]}}
    - {action: Allow}
`);
const INTERFACES = [{ name: 'eth0', kind: 'host' as const, addresses: [address('192.0.2.1')] }];

/** What would be denied, and by what. */
function denied(flows: readonly string[], interfaceTo: () => string | undefined = () => 'eth0'): string[] {
  const host = { interfaces: INTERFACES, isLocal: () => true, interfaceTo };
  return deniedFlows(WORLD, flows.map(seenFlow), host).map(({ flow, by }) => {
    const entry = by.trace.at(-1);
    return `${flow.process} ${by.stage} ${entry && formatEntry(entry)}`;
  });
}

describe('deniedFlows', () => {
  it('judges each flow in the direction that it was begun in', () => {
    expect(
      denied([
        'in tcp 192.0.2.1 80 203.0.113.9 40000 nginx',
        'in tcp 192.0.2.1 81 203.0.113.9 40000 other',
        'out tcp 192.0.2.1 40000 203.0.113.9 81 curl',
        'out udp 192.0.2.1 40000 203.0.113.9 123 chronyd',
      ]),
    ).toEqual(['other normal default|gnp:p|deny|-1', 'chronyd normal default|gnp:p|deny|0']);
  });

  it('leaves out what is on another interface, or on none', () => {
    const flows = ['in tcp 192.0.2.1 81 203.0.113.9 40000 other'];
    expect([denied(flows, () => 'wg0'), denied(flows, () => undefined)]).toEqual([[], []]);
  });
});
