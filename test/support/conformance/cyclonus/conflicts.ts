// Policies that disagree: one side allows what the other denies, and several policies on one pod, of which any may allow.
import { type ConformanceGroup, oneStep } from '../case.ts';
import { ANY, labelled, networkPolicy, type PolicyRule } from '../network-policy.ts';
import type { Direction } from './base-policy.ts';

const SOURCE = { namespace: 'x', pods: labelled({ pod: 'b' }) };
const DESTINATION = { namespace: 'y', pods: labelled({ pod: 'c' }) };

const EVERYTHING: PolicyRule = {};
const ALL_PODS: PolicyRule = { peers: [{ namespaceSelector: ANY }] };
const NO_POD: PolicyRule = { peers: [{ namespaceSelector: labelled({ 'nobody-has': 'this' }) }] };
const ALL_ADDRESSES: PolicyRule = { peers: [{ ipBlock: { cidr: '0.0.0.0/0' } }, { ipBlock: { cidr: '::/0' } }] };
const V4_ADDRESSES: PolicyRule = { peers: [{ ipBlock: { cidr: '0.0.0.0/0' } }] };
const NO_ADDRESS: PolicyRule = { peers: [{ ipBlock: { cidr: '0.0.0.0/31' } }, { ipBlock: { cidr: '::/127' } }] };

function policyOf(
  { namespace, pods }: typeof SOURCE,
  direction: Direction,
  name: string,
  rules: readonly PolicyRule[],
) {
  return networkPolicy(namespace, name, { pods, [direction]: rules });
}

/** Each policy on the source alone. */
function onSource(direction: Direction, ...policies: readonly (readonly PolicyRule[])[]) {
  return policies.map((rules, index) => policyOf(SOURCE, direction, `${direction}-${index}`, rules));
}

export const conflicts: ConformanceGroup = {
  name: 'conflict, policy-stack',
  cases: [
    oneStep(
      'the source may send nothing, the destination takes everything',
      [policyOf(SOURCE, 'egress', 'deny', []), policyOf(DESTINATION, 'ingress', 'allow', [EVERYTHING])],
      ['deny x/b -> *'],
    ),
    oneStep(
      'the source may send everything, the destination takes nothing',
      [policyOf(SOURCE, 'egress', 'allow', [EVERYTHING]), policyOf(DESTINATION, 'ingress', 'deny', [])],
      ['deny * -> y/c'],
    ),
    oneStep('egress: nothing, and everything', onSource('egress', [], [EVERYTHING]), []),
    oneStep(
      'ingress: nothing, and everything',
      [policyOf(DESTINATION, 'ingress', 'deny', []), policyOf(DESTINATION, 'ingress', 'allow', [EVERYTHING])],
      [],
    ),
    ...(['egress', 'ingress'] as const).flatMap((direction) => [
      oneStep(`${direction}: nothing, and all pods`, onSource(direction, [], [ALL_PODS]), []),
      oneStep(`${direction}: nothing, and all addresses`, onSource(direction, [], [ALL_ADDRESSES]), []),
      oneStep(`${direction}: no address, and all pods`, onSource(direction, [NO_ADDRESS], [ALL_PODS]), []),
      oneStep(`${direction}: no pod, and all addresses`, onSource(direction, [NO_POD], [ALL_ADDRESSES]), []),
    ]),
    oneStep('egress: no address', onSource('egress', [NO_ADDRESS]), ['deny x/b -> *']),
    oneStep('egress: no pod', onSource('egress', [NO_POD]), ['deny x/b -> *']),
    oneStep('ingress: no address', onSource('ingress', [NO_ADDRESS]), ['deny * -> x/b']),
    oneStep('ingress: no pod', onSource('ingress', [NO_POD]), ['deny * -> x/b']),
    oneStep('egress: nothing, and all addresses of IPv4', onSource('egress', [], [V4_ADDRESSES]), [
      'deny x/b -> * : v6',
    ]),
    oneStep('ingress: nothing, and all addresses of IPv4', onSource('ingress', [], [V4_ADDRESSES]), [
      'deny * -> x/b : v6',
    ]),
  ],
};
