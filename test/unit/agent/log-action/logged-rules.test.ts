import { describe, expect, it } from 'vitest';
import { LoggedRules } from '../../../../src/agent/log-action/logged-rules.ts';
import type { FlowEvent } from '../../../../src/events/event.ts';
import { formatAddress, parseAddress } from '../../../../src/model/address.ts';
import type { Flow } from '../../../../src/model/flow.ts';
import { ReferenceEvaluator } from '../../../../src/model/reference/evaluator.ts';
import { WORD } from '../../../../src/tables/layout.ts';
import { worldFrom } from '../../../support/world-from.ts';

const pod = (name: string, address: string) => `
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata:
  name: node-k8s-${name}-eth0
  namespace: shop
  labels: {app: ${name}}
spec:
  node: node
  orchestrator: k8s
  pod: ${name}
  endpoint: eth0
  interfaceName: cali${name}
  ipNetworks: [${address}/32]`;

const policy = (name: string, order: number, rules: string, selector = 'all()', kind = 'NetworkPolicy') => `
apiVersion: projectcalico.org/v3
kind: ${kind}
metadata: {name: ${name}${kind === 'NetworkPolicy' ? ', namespace: shop' : ''}}
spec:
  tier: default
  order: ${order}
  selector: ${selector}
  types: [Ingress]
  ingress: [${rules}]`;

const WEB = '10.0.0.1';
const DB = '10.0.0.2';

/** What is found for a TCP connection from web to a port of db, as the reference evaluator judges it. */
function rulesFor(policies: readonly string[], port: number, change: Partial<FlowEvent> = {}): string[] {
  const world = worldFrom([pod('web', WEB), pod('db', DB), ...policies].join('\n---\n'));
  const [source, destination] = [parseAddress(WEB), parseAddress(DB)];
  if (source === undefined || destination === undefined) throw new Error('no addresses');
  const evaluator = new ReferenceEvaluator(world);
  const ports = { sourcePort: 40000, destinationPort: port };
  const flow: Flow = { source, destination, protocol: 6, ...ports, icmpType: 0, icmpCode: 0 };
  const side = evaluator.evaluate(flow).ingress;
  if (side === null || side === undefined) throw new Error('not judged');
  expect(side.isLogged).toBe(true);
  const event: FlowEvent = {
    kind: side.verdict === 'allow' ? 'log' : 'denied',
    reason: '',
    hook: 'to_workload',
    ifindex: 1,
    outIfindex: 0,
    ...flow,
    tcpFlags: 2,
    isReply: false,
    egressWord: 0,
    ingressWord: WORD.LOG | 0x100,
    generation: 1,
    length: 60,
    ...change,
  };
  const rules = new LoggedRules({
    world: () => world,
    generation: () => 1,
    names: {
      endpointAt: (address) => (formatAddress(address) === WEB ? nameOf(WEB) : nameOf(DB)),
      verdict: () => side,
    },
  });
  function nameOf(address: string): string | undefined {
    const parsed = parseAddress(address);
    return parsed && evaluator.endpointAt(parsed)?.displayName;
  }
  return rules.find(event).map(({ kind, name, index, direction }) => `${kind}:${name} ${direction} ${index}`);
}

const LOG_ALL = '{action: Log}';
const ALLOW = '{action: Allow}';

describe('LoggedRules', () => {
  it('finds the one rule that can have been it', () => {
    expect(rulesFor([policy('a', 1, `${LOG_ALL}, ${ALLOW}`)], 80)).toEqual(['np:a ingress 0']);
  });

  it('finds those of several that match the packet', () => {
    const rules = `{action: Log, protocol: TCP, destination: {ports: [80]}}, {action: Log, protocol: TCP, destination: {ports: [443]}},
      {action: Log, protocol: TCP, source: {selector: app == 'web'}}, ${ALLOW}`;
    expect(rulesFor([policy('a', 1, rules)], 80)).toEqual(['np:a ingress 0', 'np:a ingress 2']);
    expect(rulesFor([policy('a', 1, rules)], 443)).toEqual(['np:a ingress 1', 'np:a ingress 2']);
  });

  it('does not take rules that come after the one that decided, in the same policy or another', () => {
    const policies = [policy('a', 1, `${LOG_ALL}, ${ALLOW}, ${LOG_ALL}`), policy('b', 2, LOG_ALL)];
    expect(rulesFor(policies, 80)).toEqual(['np:a ingress 0']);
  });

  it('takes every policy of the tier when its default decided', () => {
    const policies = [policy('a', 1, LOG_ALL), policy('b', 2, '{action: Deny, protocol: UDP}')];
    expect(rulesFor(policies, 80)).toEqual(['np:a ingress 0']);
  });

  it('does not take policies of other endpoints', () => {
    const policies = [policy('a', 1, LOG_ALL, "app == 'web'"), policy('b', 2, `${LOG_ALL}, ${ALLOW}`)];
    expect(rulesFor(policies, 80)).toEqual(['np:b ingress 0']);
  });

  it('does not take staged policies', () => {
    const policies = [
      policy('s', 1, LOG_ALL, 'all()', 'StagedGlobalNetworkPolicy'),
      policy('g', 2, `${LOG_ALL}, ${ALLOW}`, 'all()', 'GlobalNetworkPolicy'),
    ];
    expect(rulesFor(policies, 80)).toEqual(['gnp:g ingress 0']);
  });

  it('reads a reply as the connection that it belongs to', () => {
    const rules = `{action: Log, protocol: TCP, destination: {ports: [80]}}, {action: Log, protocol: TCP, destination: {ports: [40000]}}, ${ALLOW}`;
    const [source, destination] = [parseAddress(DB), parseAddress(WEB)];
    const reply = { isReply: true, source, destination, sourcePort: 80, destinationPort: 40000 };
    expect(rulesFor([policy('a', 1, rules)], 80, reply)).toEqual(['np:a ingress 0']);
  });
});
