// The lines of the table "Kept, though surprising".
import { type Choice, calico, from, fromV6, policy } from './choice.ts';

const PROFILE = ['0|__PROFILE__|pro:kns.shop|allow|0'];
const DEFAULT_DENY = ['0|default|np:shop/p|deny|-1'];
const ALLOWED = ['0|default|np:shop/p|allow|0'];

const workload = (profiles: string): string =>
  calico(
    'WorkloadEndpoint',
    '{ namespace: shop, name: n1-cni-x-eth0 }',
    `{ orchestrator: cni, node: n1, workload: x, endpoint: eth0, interfaceName: calix, ipNetworks: [10.0.0.9/32], profiles: [${profiles}] }`,
  );

export const KEPT: readonly Choice[] = [
  {
    subject: '`notSelector` alone in a GlobalNetworkPolicy',
    manifests: policy(
      'GlobalNetworkPolicy',
      'p',
      'ingress: [{ action: Allow, source: { notSelector: app == "web" } }]',
    ),
    answers: [
      { ask: from('world', 'db'), ingress: ['0|default|gnp:p|allow|0'] },
      { ask: from('web', 'db'), ingress: ['0|default|gnp:p|deny|-1'] },
    ],
  },
  {
    subject: '`notSelector` alone in a NetworkPolicy',
    manifests: policy('NetworkPolicy', 'p', 'ingress: [{ action: Allow, source: { notSelector: app == "web" } }]'),
    answers: [
      { ask: from('world', 'db'), ingress: DEFAULT_DENY },
      { ask: from('van', 'db'), ingress: DEFAULT_DENY },
      { ask: from('db', 'db'), ingress: ALLOWED },
    ],
  },
  {
    subject: '`selector: "!has(x)"`',
    manifests: policy('GlobalNetworkPolicy', 'p', 'ingress: [{ action: Allow, source: { selector: "!has(x)" } }]'),
    answers: [
      { ask: from('world', 'db'), ingress: ['0|default|gnp:p|deny|-1'] },
      { ask: from('van', 'db'), ingress: ['0|default|gnp:p|allow|0'] },
    ],
  },
  {
    subject: '`notNets` of one family',
    manifests: policy('NetworkPolicy', 'p', 'ingress: [{ action: Allow, source: { notNets: [10.0.0.3/32] } }]'),
    answers: [
      { ask: from('web', 'db'), ingress: ALLOWED },
      { ask: fromV6('web', 'db'), ingress: DEFAULT_DENY },
    ],
  },
  {
    subject: 'protocol numbers 1 and 58',
    manifests: policy(
      'NetworkPolicy',
      'p',
      'ingress: [{ action: Deny, protocol: ICMP }, { action: Allow, protocol: 1 }]',
    ),
    answers: [
      { ask: fromV6('web', 'db', { protocol: 1 }), ingress: ['0|default|np:shop/p|allow|1'] },
      { ask: from('web', 'db', { protocol: 1 }), ingress: ['0|default|np:shop/p|deny|0'] },
    ],
  },
  {
    subject: 'policies of equal order',
    manifests:
      policy('NetworkPolicy', 'a', 'order: 1, ingress: [{ action: Allow }]') +
      policy('NetworkPolicy', 'a-b', 'order: 1, ingress: [{ action: Deny }]'),
    answers: [{ ask: from('web', 'db'), ingress: ['0|default|np:shop/a-b|deny|0'] }],
  },
  {
    subject: 'a tier that policies name but nothing defines',
    manifests:
      policy('NetworkPolicy', 'p', 'tier: nowhere, order: 1, ingress: [{ action: Allow }]') +
      policy('NetworkPolicy', 'q', 'order: 9, ingress: [{ action: Pass, protocol: TCP }]'),
    answers: [
      { ask: from('web', 'db'), ingress: ['0|default|np:shop/q|pass|0', '1|nowhere|np:shop/p|allow|0'] },
      { ask: from('web', 'db', { protocol: 'UDP' }), ingress: ['0|default|np:shop/q|deny|-1'] },
    ],
  },
  {
    subject: 'a profile that is listed but does not exist',
    manifests: workload('missing, kns.shop'),
    answers: [{ ask: from('web', '10.0.0.9'), ingress: ['0|__PROFILE__|pro:missing|deny|0'] }],
  },
  {
    subject: 'Pass in a profile',
    manifests:
      calico('Profile', '{ name: passing }', '{ ingress: [{ action: Pass }] }') + workload('passing, kns.shop'),
    answers: [{ ask: from('web', '10.0.0.9'), ingress: ['0|__PROFILE__|pro:passing|deny|0'] }],
  },
  {
    subject: 'end of tier in the enforced trace',
    manifests:
      policy('NetworkPolicy', 'a', 'order: 1, ingress: []') + policy('NetworkPolicy', 'b', 'order: 2, ingress: []'),
    answers: [{ ask: from('web', 'db'), ingress: ['0|default|np:shop/b|deny|-1'] }],
  },
  {
    subject: '`types` that are absent',
    manifests:
      policy('NetworkPolicy', 'p', 'egress: [{ action: Allow }]') +
      policy('NetworkPolicy', 'q', 'selector: app == "web", egress: []'),
    answers: [
      { ask: from('web', 'db'), egress: PROFILE, ingress: PROFILE },
      { ask: from('db', 'web'), egress: ALLOWED, ingress: ['0|default|np:shop/q|deny|-1'] },
    ],
  },
  {
    subject: 'an address of several endpoints and sets',
    manifests:
      calico('GlobalNetworkSet', '{ name: s, labels: { role: office } }', '{ nets: [10.0.0.0/24] }') +
      policy('GlobalNetworkPolicy', 'p', 'ingress: [{ action: Allow, source: { selector: role == "office" } }]'),
    answers: [{ ask: from('web', 'db'), ingress: ['0|default|gnp:p|allow|0'] }],
  },
  {
    subject: "a host endpoint's `expectedIPs`",
    manifests:
      calico(
        'HostEndpoint',
        '{ name: h, labels: { role: host } }',
        '{ node: n1, interfaceName: eth0, expectedIPs: [192.0.2.1] }',
      ) + policy('GlobalNetworkPolicy', 'p', 'ingress: [{ action: Allow, source: { selector: role == "host" } }]'),
    answers: [
      { ask: from('world', 'db'), ingress: ['0|default|gnp:p|allow|0'] },
      { ask: from('192.0.2.2', 'db'), ingress: ['0|default|gnp:p|deny|-1'] },
    ],
  },
  {
    subject: '`doNotTrack` and `preDNAT` policies',
    manifests: ['preDNAT', 'doNotTrack']
      .map((flag) =>
        policy(
          'GlobalNetworkPolicy',
          flag.toLowerCase(),
          `${flag}: true, applyOnForward: true, types: [Ingress], ingress: [{ action: Deny }]`,
        ),
      )
      .join(''),
    answers: [{ ask: from('web', 'db'), ingress: PROFILE }],
  },
  {
    subject: 'a staged policy and its enforced namesake',
    manifests:
      policy('NetworkPolicy', 'p', 'ingress: [{ action: Allow }]') +
      policy('StagedNetworkPolicy', 'p', 'ingress: [{ action: Deny }]'),
    answers: [{ ask: from('web', 'db'), ingress: ALLOWED, pending: ALLOWED }],
  },
  {
    subject: '`stagedAction: Delete`',
    manifests:
      policy('NetworkPolicy', 'p', 'ingress: [{ action: Allow }]') +
      calico('StagedNetworkPolicy', '{ namespace: shop, name: p }', '{ stagedAction: Delete }'),
    answers: [{ ask: from('web', 'db'), ingress: ALLOWED }],
  },
  {
    subject: '`stagedAction: Learn` and `Ignore`',
    manifests:
      policy('StagedNetworkPolicy', 'learnt', 'stagedAction: Learn, ingress: [{ action: Allow, protocol: UDP }]') +
      policy('StagedNetworkPolicy', 'unwanted', 'stagedAction: Ignore, ingress: [{ action: Deny }]'),
    answers: [
      { ask: from('web', 'db'), ingress: PROFILE, pending: ['0|default|snp:shop/unwanted|deny|0'] },
      {
        ask: from('web', 'db', { protocol: 'UDP' }),
        ingress: PROFILE,
        pending: ['0|default|snp:shop/learnt|allow|0'],
      },
    ],
  },
];
