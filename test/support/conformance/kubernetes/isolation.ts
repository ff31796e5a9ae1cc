// Isolation: a pod that a policy selects is closed in the directions the policy is about, and only there.
import { type ConformanceGroup, oneStep } from '../case.ts';
import { ANY, labelled, networkPolicy } from '../network-policy.ts';

const A = labelled({ pod: 'a' });

export const isolation: ConformanceGroup = {
  name: 'isolation',
  cases: [
    oneStep(
      'denies all ingress of a namespace, in every protocol',
      [networkPolicy('x', 'deny-ingress', { ingress: [] })],
      ['deny * -> x/*'],
    ),
    oneStep(
      'denies everything into and out of a namespace',
      [networkPolicy('x', 'deny-all', { ingress: [], egress: [] })],
      ['deny * -> x/*', 'deny x/* -> y/*, z/*'],
    ),
    oneStep(
      'denies egress of the selected pod only',
      [networkPolicy('x', 'deny-egress-a', { pods: A, egress: [] })],
      ['deny x/a -> *'],
    ),
    oneStep('denies all egress of a namespace', [networkPolicy('x', 'deny-egress', { egress: [] })], ['deny x/* -> *']),
    oneStep(
      'allows everything where a rule has neither peers nor ports',
      [networkPolicy('x', 'allow-all', { ingress: [{}] })],
      [],
    ),
    oneStep(
      'opens one pod of a closed namespace to all pods',
      [
        networkPolicy('x', 'deny-ingress', { ingress: [] }),
        networkPolicy('x', 'open-a', { pods: A, ingress: [{ peers: [{ podSelector: ANY, namespaceSelector: ANY }] }] }),
      ],
      ['deny * -> x/b, x/c'],
    ),
    {
      name: 'governs ingress and egress of one pod independently',
      steps: [
        { apply: [networkPolicy('x', 'open-egress', { pods: A, egress: [{}] })], expect: [] },
        { apply: [networkPolicy('x', 'close-ingress', { pods: A, ingress: [] })], expect: ['deny * -> x/a'] },
      ],
    },
  ],
};
