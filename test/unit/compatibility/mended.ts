// The lines of the table "Mended".
import { type Choice, calico, from, fromV6, policy } from './choice.ts';

const DEFAULT_DENY = ['0|default|np:shop/p|deny|-1'];
const ALLOWED = ['0|default|np:shop/p|allow|0'];

const SLICE = `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { namespace: shop, name: db-1, labels: { kubernetes.io/service-name: db } }
addressType: IPv4
ports: [{ port: 80 }]
`;

const TO_SERVICE = policy(
  'NetworkPolicy',
  'p',
  'selector: app == "web", types: [Egress], egress: [{ action: Allow, destination: { services: { name: db } } }]',
);

const clusterPolicy = (peer: string): string => `
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: { name: c }
spec:
  tier: Admin
  priority: 10
  subject: { namespaces: { matchLabels: { team: red } } }
  egress: [{ action: Deny, to: [${peer}] }]
---
`;

export const MENDED: readonly Choice[] = [
  {
    subject: 'ports of SCTP',
    manifests: policy(
      'NetworkPolicy',
      'p',
      'ingress: [{ action: Allow, protocol: SCTP, destination: { ports: [80] } }]',
    ),
    answers: [
      { ask: from('web', 'db', { protocol: 'SCTP' }), ingress: ALLOWED },
      { ask: from('web', 'db', { protocol: 'SCTP', dstPort: 81 }), ingress: DEFAULT_DENY },
    ],
  },
  {
    subject: '`UDPLite` and `ICMPv6` by name',
    manifests: policy(
      'NetworkPolicy',
      'p',
      'ingress: [{ action: Allow, protocol: UDPLite }, { action: Allow, protocol: ICMPv6 }]',
    ),
    answers: [
      { ask: from('web', 'db', { protocol: 136 }), ingress: ALLOWED },
      { ask: fromV6('web', 'db', { protocol: 58, icmpType: 128 }), ingress: ['0|default|np:shop/p|allow|1'] },
      { ask: from('web', 'db'), ingress: DEFAULT_DENY },
    ],
  },
  {
    subject: 'ports of UDPLite',
    manifests: policy(
      'NetworkPolicy',
      'p',
      'ingress: [{ action: Allow, protocol: UDPLite, destination: { ports: ["80:90"] } }]',
    ),
    answers: [
      { ask: from('web', 'db', { protocol: 'UDPLite' }), ingress: ALLOWED },
      { ask: from('web', 'db', { protocol: 'UDPLite', dstPort: 91 }), ingress: DEFAULT_DENY },
    ],
  },
  {
    subject: '`notICMP` without `protocol`',
    manifests: policy('NetworkPolicy', 'p', 'ingress: [{ action: Allow, notICMP: { type: 8 } }]'),
    answers: [
      { ask: from('web', 'db', { protocol: 'ICMP', icmpType: 8 }), ingress: DEFAULT_DENY },
      { ask: from('web', 'db', { protocol: 'ICMP', icmpType: 13 }), ingress: ALLOWED },
      // Its low byte is 8.
      { ask: from('web', 'db', { dstPort: 2056 }), ingress: ALLOWED },
    ],
  },
  {
    subject: '`services` in a NetworkPolicy without namespace',
    manifests: `${TO_SERVICE}${SLICE}endpoints: [{ addresses: [10.0.0.2] }]\n`,
    answers: [
      { ask: from('web', 'db'), egress: ALLOWED },
      { ask: from('web', 'db', { dstPort: 81 }), egress: DEFAULT_DENY },
    ],
  },
  {
    subject: 'backends of a service that do not serve',
    manifests: `${TO_SERVICE}${SLICE}endpoints:
- { addresses: [10.0.0.2], conditions: { ready: false } }
- { addresses: [10.0.0.3], conditions: { ready: false, serving: true, terminating: true } }
`,
    answers: [
      { ask: from('web', 'db'), egress: DEFAULT_DENY },
      { ask: from('web', 'van'), egress: ALLOWED },
    ],
  },
  {
    subject: '`http` in a rule',
    manifests: policy('NetworkPolicy', 'p', 'ingress: [{ action: Allow, http: { methods: [GET] } }]'),
    refused: { code: 'NEEDS_LAYER7', field: 'spec.ingress[0].http', message: /networkpolicy shop\/p/ },
  },
  {
    subject: 'Log in a profile',
    manifests:
      calico('Profile', '{ name: both }', '{ ingress: [{ action: Log }, { action: Allow }] }') +
      calico(
        'WorkloadEndpoint',
        '{ namespace: shop, name: n1-cni-x-eth0 }',
        '{ orchestrator: cni, node: n1, workload: x, endpoint: eth0, interfaceName: calix, ipNetworks: [10.0.0.9/32], profiles: [both] }',
      ),
    answers: [{ ask: from('web', '10.0.0.9'), ingress: ['0|__PROFILE__|pro:both|allow|1'] }],
  },
  {
    subject: '`global(` inside a label value',
    manifests: policy(
      'NetworkPolicy',
      'p',
      'ingress: [{ action: Allow, source: { selector: "app != \'global()\'" } }]',
    ),
    answers: [{ ask: from('web', 'db'), ingress: ALLOWED }],
  },
  {
    subject: '`all()` inside a label value',
    manifests: policy(
      'GlobalNetworkPolicy',
      'p',
      'ingress: [{ action: Allow, source: { namespaceSelector: team == "red", selector: "app not in {\'all()\', \'web\'}" } }]',
    ),
    answers: [
      { ask: from('db', 'db'), ingress: ['0|default|gnp:p|allow|0'] },
      { ask: from('web', 'db'), ingress: ['0|default|gnp:p|deny|-1'] },
    ],
  },
  {
    subject: 'an empty list of `types`',
    manifests: policy('NetworkPolicy', 'p', 'types: [], ingress: [{ action: Allow }]'),
    answers: [
      { ask: from('web', 'db'), ingress: ALLOWED },
      { ask: from('db', 'web'), egress: ['0|__PROFILE__|pro:kns.shop|allow|0'] },
    ],
  },
  {
    subject: 'a bare address in `nets`',
    manifests: policy('NetworkPolicy', 'p', 'ingress: [{ action: Allow, source: { nets: [192.0.2.1] } }]'),
    refused: { code: 'INVALID_FIELD', field: 'spec.ingress[0].source.nets[0]', message: /found "?192\.0\.2\.1/ },
  },
  {
    subject: 'a rule of a Kubernetes NetworkPolicy that cannot be converted',
    manifests: `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { namespace: shop, name: k }
spec:
  podSelector: {}
  ingress: [{ from: [{ podSelector: {} }] }, { from: [{ ipBlock: { cidr: 10.0.0.0/33 } }] }]
`,
    refused: { code: 'INVALID_FIELD', field: 'spec.ingress[1].from[0].ipBlock.cidr', message: /10\.0\.0\.0\/33/ },
  },
  {
    subject: 'a peer of a ClusterNetworkPolicy that cannot be honoured',
    manifests: clusterPolicy('{ domainNames: [example.com] }'),
    refused: {
      code: 'UNSUPPORTED_FIELD',
      field: 'spec.egress[0].to[0].domainNames',
      message: /clusternetworkpolicy c/,
    },
  },
  {
    subject: 'a namespaces peer of a ClusterNetworkPolicy',
    manifests:
      clusterPolicy('{ namespaces: { matchLabels: { team: blue } } }') +
      calico('NetworkSet', '{ namespace: yard, name: s }', '{ nets: [192.0.2.0/24] }'),
    answers: [
      { ask: from('web', 'van'), egress: ['0|kube-admin|kcnp:c|deny|0'] },
      { ask: from('web', 'world'), egress: ['0|kube-admin|kcnp:c|pass|-1', '1|__PROFILE__|pro:kns.shop|allow|0'] },
    ],
  },
  {
    subject: 'end of tier in the pending trace',
    manifests:
      policy('NetworkPolicy', 'a', 'order: 1, ingress: [{ action: Allow, protocol: UDP }]') +
      policy('StagedNetworkPolicy', 'b', 'order: 2, ingress: [{ action: Allow, protocol: UDP }]'),
    answers: [
      {
        ask: from('web', 'db'),
        ingress: ['0|default|np:shop/a|deny|-1'],
        pending: ['0|default|snp:shop/b|deny|-1'],
      },
    ],
  },
  {
    subject: 'a walk that no profile decides, in traces',
    manifests:
      calico('Tier', '{ name: open }', '{ order: 1, defaultAction: Pass }') +
      calico('Profile', '{ name: silent }', '{}') +
      calico(
        'WorkloadEndpoint',
        '{ namespace: shop, name: n1-cni-x-eth0, labels: { app: db } }',
        '{ orchestrator: cni, node: n1, workload: x, endpoint: eth0, interfaceName: calix, ipNetworks: [10.0.0.9/32], profiles: [silent] }',
      ) +
      policy('StagedNetworkPolicy', 's', 'tier: open, ingress: [{ action: Allow, protocol: UDP }]'),
    answers: [
      {
        ask: from('web', '10.0.0.9'),
        ingress: ['0|__PROFILE__|pro:__PROFILE__|deny|-1'],
        pending: ['0|open|snp:shop/s|pass|-1', '1|__PROFILE__|pro:__PROFILE__|deny|-1'],
      },
    ],
  },
];
