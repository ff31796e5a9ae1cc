// What policy of a host says to packets past its interfaces: the truth tables that the reference evaluator, and sockets under a
// running agent, are held to.
import type { Path } from '../../../../src/model/path.ts';
import { felix, gnp, HOST, hep, POD_MANIFEST } from './hosts.ts';

export const TO_HOST: Path = { kind: 'to-host', in: 'eth0' };
export const FROM_HOST: Path = { kind: 'from-host', out: 'eth0' };
export const FORWARD: Path = { kind: 'forward', in: 'eth0', out: 'eth1' };
export const ETH0 = hep('eth0', 'interfaceName: eth0');
const ETH1 = hep('eth1', 'interfaceName: eth1');
const ANY = hep('any', 'interfaceName: "*"');

export const UNTRACKED = 'doNotTrack: true, applyOnForward: true';
export const PRE_DNAT = 'preDNAT: true, applyOnForward: true';
const FORWARDED = 'applyOnForward: true';
export const rules = (direction: string, action: string): string => `${direction}: [{action: ${action}}]`;

export interface Case {
  readonly name: string;
  readonly manifests: readonly string[];
  readonly path: Path;
  readonly expected: string;
}

export const toHost: readonly Case[] = [
  { name: 'without a host endpoint', manifests: [], path: TO_HOST, expected: 'allow' },
  {
    name: 'with nothing but an endpoint',
    manifests: [ETH0],
    path: TO_HOST,
    expected: 'deny, normal ingress eth0 deny',
  },
  {
    name: 'that a profile allows',
    manifests: [hep('eth0', 'interfaceName: eth0, profiles: [projectcalico-default-allow]')],
    path: TO_HOST,
    expected: 'allow, normal ingress eth0 allow',
  },
  {
    name: 'that policy allows',
    manifests: [ETH0, gnp('p', rules('ingress', 'Allow'))],
    path: TO_HOST,
    expected: 'allow, normal ingress eth0 allow',
  },
  {
    name: 'that policy for forwarded traffic allows as well',
    manifests: [ETH0, gnp('p', `${FORWARDED}, ${rules('ingress', 'Allow')}`)],
    path: TO_HOST,
    expected: 'allow, normal ingress eth0 allow',
  },
  {
    name: 'that untracked policy allows',
    manifests: [
      ETH0,
      gnp('u', `${UNTRACKED}, ${rules('ingress', 'Allow')}`),
      gnp('d', `${PRE_DNAT}, ${rules('ingress', 'Deny')}`),
    ],
    path: TO_HOST,
    expected: 'allow, untracked ingress eth0 allow',
  },
  {
    name: 'that untracked policy denies',
    manifests: [ETH0, gnp('u', `${UNTRACKED}, ${rules('ingress', 'Deny')}`), gnp('p', rules('ingress', 'Allow'))],
    path: TO_HOST,
    expected: 'deny, untracked ingress eth0 deny',
  },
  {
    name: 'about which untracked policy says nothing',
    manifests: [
      ETH0,
      gnp('u', `${UNTRACKED}, ingress: [{action: Deny, protocol: UDP}]`),
      gnp('p', rules('ingress', 'Allow')),
    ],
    path: TO_HOST,
    expected: 'allow, untracked ingress eth0 next, normal ingress eth0 allow',
  },
  {
    name: 'that policy before DNAT allows',
    manifests: [ETH0, gnp('d', `${PRE_DNAT}, ${rules('ingress', 'Allow')}`), gnp('p', rules('ingress', 'Deny'))],
    path: TO_HOST,
    expected: 'allow, preDnat ingress eth0 allow',
  },
  {
    name: 'that policy before DNAT denies',
    manifests: [ETH0, gnp('d', `${PRE_DNAT}, ${rules('ingress', 'Deny')}`), gnp('p', rules('ingress', 'Allow'))],
    path: TO_HOST,
    expected: 'deny, preDnat ingress eth0 deny',
  },
  {
    name: 'about which neither of them says anything',
    manifests: [
      ETH0,
      gnp('u', `${UNTRACKED}, ingress: [{action: Pass}]`),
      gnp('d', `${PRE_DNAT}, types: [Ingress]`),
      gnp('p', rules('ingress', 'Allow')),
    ],
    path: TO_HOST,
    expected: 'allow, untracked ingress eth0 next, preDnat ingress eth0 next, normal ingress eth0 allow',
  },
  {
    name: 'on an interface of `*` without one of its own',
    manifests: [ANY],
    path: { kind: 'to-host', in: 'eth1' },
    expected: 'deny, normal ingress any deny',
  },
  {
    name: 'on an interface that nobody has heard of',
    manifests: [ANY],
    path: { kind: 'to-host', in: 'tun7' },
    expected: 'deny, normal ingress any deny',
  },
  {
    name: 'on an interface whose own endpoint hides `*` from every list',
    manifests: [
      ETH0,
      ANY,
      gnp('d', `${PRE_DNAT}, ${rules('ingress', 'Deny')}`).replace('hep == "true"', 'name == "any"'),
    ],
    path: TO_HOST,
    expected: 'deny, normal ingress eth0 deny',
  },
  {
    name: 'on an interface that an endpoint has by its address',
    manifests: [hep('by-address', `expectedIPs: [${HOST}]`)],
    path: TO_HOST,
    expected: 'deny, normal ingress by-address deny',
  },
  {
    name: 'on an interface that an endpoint with another interface has the address of',
    manifests: [hep('elsewhere', `interfaceName: eth1, expectedIPs: [${HOST}]`)],
    path: TO_HOST,
    expected: 'allow',
  },
  {
    name: 'on the loopback interface',
    manifests: [ANY, hep('lo', 'interfaceName: lo')],
    path: { kind: 'to-host', in: 'lo' },
    expected: 'allow',
  },
];

export const fromHost: readonly Case[] = [
  { name: 'without a host endpoint', manifests: [], path: FROM_HOST, expected: 'allow' },
  {
    name: 'with nothing but an endpoint',
    manifests: [ETH0],
    path: FROM_HOST,
    expected: 'deny, normal egress eth0 deny',
  },
  {
    name: 'that untracked policy allows',
    manifests: [ETH0, gnp('u', `${UNTRACKED}, ${rules('egress', 'Allow')}`)],
    path: FROM_HOST,
    expected: 'allow, untracked egress eth0 allow',
  },
  {
    name: 'that untracked policy denies',
    manifests: [ETH0, gnp('u', `${UNTRACKED}, ${rules('egress', 'Deny')}`), gnp('p', rules('egress', 'Allow'))],
    path: FROM_HOST,
    expected: 'deny, untracked egress eth0 deny',
  },
  {
    name: 'that no untracked policy of this direction is about',
    manifests: [ETH0, gnp('u', `${UNTRACKED}, ${rules('ingress', 'Deny')}`), gnp('p', rules('egress', 'Allow'))],
    path: FROM_HOST,
    expected: 'allow, untracked egress eth0 next, normal egress eth0 allow',
  },
  { name: 'to its own workload', manifests: [ANY], path: { kind: 'from-host', out: 'cali1' }, expected: 'allow' },
  { name: 'on the loopback interface', manifests: [ANY], path: { kind: 'from-host', out: 'lo' }, expected: 'allow' },
];

export const forwarded: readonly Case[] = [
  {
    name: 'past endpoints without policy for it',
    manifests: [ETH0, ETH1, gnp('p', rules('ingress', 'Deny'))],
    path: FORWARD,
    expected: 'allow',
  },
  {
    name: 'that policy of the first interface denies',
    manifests: [ETH0, ETH1, gnp('p', `${FORWARDED}, ${rules('ingress', 'Deny')}`)],
    path: FORWARD,
    expected: 'deny, forward ingress eth0 deny',
  },
  {
    name: 'that no rule of the first interface allows',
    manifests: [ETH0, ETH1, gnp('p', `${FORWARDED}, types: [Ingress]`)],
    path: FORWARD,
    expected: 'deny, forward ingress eth0 deny',
  },
  {
    name: 'that policy of the second interface denies',
    manifests: [ETH0, ETH1, gnp('p', `${FORWARDED}, ${rules('egress', 'Deny')}`)],
    path: FORWARD,
    expected: 'deny, forward ingress eth0 allow, forward egress eth1 deny',
  },
  {
    name: 'that every tier passes on',
    manifests: [ETH0, gnp('p', `${FORWARDED}, ${rules('ingress', 'Pass')}`)],
    path: FORWARD,
    expected: 'allow, forward ingress eth0 allow',
  },
  {
    name: 'that was allowed before DNAT, past the first interface only',
    manifests: [
      ETH0,
      ETH1,
      gnp('d', `${PRE_DNAT}, ${rules('ingress', 'Allow')}`),
      gnp('p', `${FORWARDED}, ${rules('ingress', 'Deny')}, egress: [{action: Deny}]`),
    ],
    path: FORWARD,
    expected: 'deny, preDnat ingress eth0 allow, forward egress eth1 deny',
  },
  {
    name: 'that was allowed untracked, past the first interface only',
    manifests: [
      ETH0,
      ETH1,
      gnp('u', `${UNTRACKED}, ${rules('ingress', 'Allow')}`),
      gnp('d', `${PRE_DNAT}, ${rules('ingress', 'Deny')}`),
      gnp('p', `${FORWARDED}, ${rules('egress', 'Deny')}`),
    ],
    path: FORWARD,
    expected: 'deny, untracked ingress eth0 allow, forward egress eth1 deny',
  },
  {
    name: 'to a workload, past `*` and its own policy',
    manifests: [POD_MANIFEST, ANY, gnp('p', `${FORWARDED}, ${rules('egress', 'Allow')}`)],
    path: { kind: 'forward', in: 'eth0', out: 'cali1' },
    expected: 'allow, forward ingress any allow, forward egress any allow, ingress ingress default/w allow',
  },
  {
    name: 'from a workload, its own policy first, then `*` in the place of an endpoint of the interface',
    manifests: [
      POD_MANIFEST,
      ANY,
      ETH1,
      gnp('d', `${PRE_DNAT}, ingress: [{action: Pass}]`),
      gnp('p', `${FORWARDED}, ${rules('ingress', 'Allow')}, egress: [{action: Allow}]`),
      gnp('u', `${UNTRACKED}, ${rules('ingress', 'Deny')}`),
    ],
    path: { kind: 'forward', in: 'cali1', out: 'eth1' },
    expected:
      'allow, egress egress default/w allow, preDnat ingress any next, forward ingress any allow, forward egress eth1 allow',
  },
];

type Endpoint = 'none' | 'eth0' | '*' | '*, before DNAT';

export interface Row {
  /** What the host's own rules do with packets that reach them. */
  readonly own: 'accept' | 'drop';
  readonly action: 'Accept' | 'Return' | 'Drop';
  readonly endpoint: Endpoint;
  readonly rule?: 'Allow' | 'Deny';
  readonly reaches: boolean;
}

/** The truth table of Calico's endpoint-to-host tests. */
export const ROWS: readonly Row[] = [
  { own: 'drop', action: 'Accept', endpoint: 'none', reaches: true },
  { own: 'drop', action: 'Return', endpoint: 'none', reaches: false },
  { own: 'drop', action: 'Drop', endpoint: 'none', reaches: false },
  { own: 'accept', action: 'Accept', endpoint: 'none', reaches: true },
  { own: 'accept', action: 'Return', endpoint: 'none', reaches: true },
  { own: 'accept', action: 'Drop', endpoint: 'none', reaches: false },
  { own: 'accept', action: 'Return', endpoint: 'eth0', rule: 'Deny', reaches: true },
  { own: 'drop', action: 'Return', endpoint: 'eth0', rule: 'Deny', reaches: false },
  { own: 'drop', action: 'Accept', endpoint: '*, before DNAT', rule: 'Allow', reaches: true },
  { own: 'drop', action: 'Return', endpoint: '*, before DNAT', rule: 'Allow', reaches: false },
  { own: 'drop', action: 'Drop', endpoint: '*, before DNAT', rule: 'Allow', reaches: false },
  { own: 'drop', action: 'Accept', endpoint: '*, before DNAT', rule: 'Deny', reaches: false },
  { own: 'drop', action: 'Return', endpoint: '*, before DNAT', rule: 'Deny', reaches: false },
  { own: 'drop', action: 'Drop', endpoint: '*, before DNAT', rule: 'Deny', reaches: false },
  { own: 'accept', action: 'Accept', endpoint: '*, before DNAT', rule: 'Deny', reaches: false },
  { own: 'accept', action: 'Return', endpoint: '*, before DNAT', rule: 'Deny', reaches: false },
  { own: 'accept', action: 'Drop', endpoint: '*, before DNAT', rule: 'Deny', reaches: false },
  { own: 'drop', action: 'Accept', endpoint: '*', rule: 'Allow', reaches: true },
  { own: 'drop', action: 'Return', endpoint: '*', rule: 'Allow', reaches: false },
  { own: 'drop', action: 'Drop', endpoint: '*', rule: 'Allow', reaches: false },
  { own: 'drop', action: 'Accept', endpoint: '*', rule: 'Deny', reaches: true },
  { own: 'drop', action: 'Return', endpoint: '*', rule: 'Deny', reaches: false },
  { own: 'drop', action: 'Drop', endpoint: '*', rule: 'Deny', reaches: false },
  { own: 'accept', action: 'Accept', endpoint: '*', rule: 'Deny', reaches: true },
  { own: 'accept', action: 'Return', endpoint: '*', rule: 'Deny', reaches: true },
  { own: 'accept', action: 'Drop', endpoint: '*', rule: 'Deny', reaches: false },
];

export function manifestsOf({ action, endpoint, rule }: Row): string[] {
  const settings = [POD_MANIFEST, felix(`defaultEndpointToHostAction: ${action}`)];
  if (endpoint === 'none') return settings;
  const isPreDnat = endpoint === '*, before DNAT';
  return [
    ...settings,
    hep('host', `interfaceName: "${isPreDnat ? '*' : endpoint}", expectedIPs: [${HOST}]`),
    gnp('out', 'egress: [{action: Allow}]'),
    gnp(
      'in',
      `${isPreDnat ? 'applyOnForward: true, preDNAT: true, ' : ''}ingress: [{action: ${rule}, source: {selector: "!has(hep)"}}]`,
    ),
  ];
}
