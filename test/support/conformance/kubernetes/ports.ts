// Ports and protocols: numbers, names, ranges, and a protocol that must not be taken for another.
import { type ConformanceCase, type ConformanceGroup, oneStep, type Protocol } from '../case.ts';
import { labelled, networkPolicy, type PolicyPort } from '../network-policy.ts';

const A = labelled({ pod: 'a' });
const FROM_Y = [{ namespaceSelector: labelled({ ns: 'y' }) }];

function ingressToA(...ports: PolicyPort[]) {
  return networkPolicy('x', 'to-a', { pods: A, ingress: [{ ports }] });
}

function onePortFromOneNamespace(protocol: Protocol): ConformanceCase {
  return oneStep(
    `allows ${protocol} port 81 to one namespace`,
    [networkPolicy('x', 'y-to-a', { pods: A, ingress: [{ peers: FROM_Y, ports: [{ protocol, port: 81 }] }] })],
    ['deny * -> x/a', `allow y/* -> x/a : ${protocol}81`],
  );
}

export const ports: ConformanceGroup = {
  name: 'ports',
  cases: [
    onePortFromOneNamespace('TCP'),
    onePortFromOneNamespace('UDP'),
    onePortFromOneNamespace('SCTP'),
    oneStep(
      'allows one named port of a namespace',
      [networkPolicy('x', 'named', { ingress: [{ ports: [{ port: 'serve-81-tcp' }] }] })],
      ['deny * -> x/*', 'allow * -> x/* : TCP81'],
    ),
    oneStep(
      'allows one named port to one namespace',
      [
        networkPolicy('x', 'named-from-y', {
          pods: A,
          ingress: [{ peers: FROM_Y, ports: [{ port: 'serve-80-tcp', protocol: 'TCP' }] }],
        }),
      ],
      ['deny * -> x/a', 'allow y/* -> x/a : TCP80'],
    ),
    oneStep(
      'allows egress to one named port',
      [networkPolicy('x', 'named-egress', { egress: [{ ports: [{ port: 'serve-80-tcp' }] }] })],
      ['deny x/* -> *', 'allow x/* -> * : TCP80'],
    ),
    oneStep('allows every port of one protocol', [ingressToA({ protocol: 'TCP' })], ['deny * -> x/a : UDP SCTP']),
    oneStep(
      'does not take SCTP for TCP',
      [networkPolicy('x', 'deny-ingress', { ingress: [] }), ingressToA({ protocol: 'SCTP', port: 81 })],
      ['deny * -> x/*', 'allow * -> x/a : SCTP81'],
    ),
    oneStep(
      'isolates a pod whose only policy allows SCTP',
      [ingressToA({ protocol: 'SCTP', port: 80 })],
      ['deny * -> x/a', 'allow * -> x/a : SCTP80'],
    ),
    oneStep(
      'does not take UDP for TCP',
      [ingressToA({ protocol: 'UDP', port: 81 })],
      ['deny * -> x/a', 'allow * -> x/a : UDP81'],
    ),
    oneStep(
      'allows a range of ports',
      [ingressToA({ protocol: 'TCP', port: 80, endPort: 81 })],
      ['deny * -> x/a', 'allow * -> x/a : TCP'],
    ),
    oneStep(
      'begins a range at its first port',
      [ingressToA({ protocol: 'UDP', port: 81, endPort: 20_000 })],
      ['deny * -> x/a', 'allow * -> x/a : UDP81'],
    ),
    oneStep(
      'ends a range at its last port, egress too',
      [networkPolicy('x', 'range', { pods: A, egress: [{ ports: [{ protocol: 'SCTP', port: 1, endPort: 80 }] }] })],
      ['deny x/a -> *', 'allow x/a -> * : SCTP80'],
    ),
    oneStep(
      'allows a range of one port',
      [ingressToA({ protocol: 'TCP', port: 80, endPort: 80 })],
      ['deny * -> x/a', 'allow * -> x/a : TCP80'],
    ),
    oneStep(
      'allows ingress from one pod and egress to one port',
      [
        networkPolicy('x', 'both', {
          pods: A,
          ingress: [{ peers: [{ podSelector: labelled({ pod: 'b' }) }] }],
          egress: [{ ports: [{ port: 80 }] }],
        }),
      ],
      ['deny * -> x/a', 'allow x/b -> x/a', 'deny x/a -> *', 'allow x/a -> * : TCP80'],
    ),
  ],
};
