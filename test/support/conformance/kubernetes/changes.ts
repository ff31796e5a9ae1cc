// Changes: policies added, edited and removed, labels of pods and namespaces that come and go.
import type { ConformanceGroup } from '../case.ts';
import { namespaceOf, podOf, relabelled } from '../cluster.ts';
import { labelled, networkPolicy, type PolicyRule } from '../network-policy.ts';
import { XYZ } from '../xyz-cluster.ts';

const A = labelled({ pod: 'a' });
const TCP_81_FROM_Y = networkPolicy('x', 'y-to-a-81', {
  pods: A,
  ingress: [{ peers: [{ namespaceSelector: labelled({ ns: 'y' }) }], ports: [{ protocol: 'TCP', port: 81 }] }],
});
const TCP_80_FROM_Y = networkPolicy('x', 'y-to-a-80', {
  pods: A,
  ingress: [{ peers: [{ namespaceSelector: labelled({ ns: 'y' }) }], ports: [{ protocol: 'TCP', port: 80 }] }],
});
const DENY_ALL = networkPolicy('x', 'deny-all', { ingress: [], egress: [] });
const NAMESPACE_Y = namespaceOf(XYZ, 'y');
const X_A = podOf(XYZ, 'x/a');
const X_B = podOf(XYZ, 'x/b');

function ingress(name: string, rules: readonly PolicyRule[]) {
  return networkPolicy('x', name, { ingress: rules });
}

function egress(name: string, rules: readonly PolicyRule[]) {
  return networkPolicy('x', name, { egress: rules });
}

export const changes: ConformanceGroup = {
  name: 'changes',
  cases: [
    {
      name: 'adds up policies that select the same pod',
      steps: [
        { apply: [TCP_81_FROM_Y], expect: ['deny * -> x/a', 'allow y/* -> x/a : TCP81'] },
        { apply: [TCP_80_FROM_Y], expect: ['deny * -> x/a', 'allow y/* -> x/a : TCP'] },
      ],
    },
    {
      name: 'enforces a policy as it was last edited',
      steps: [
        { apply: [ingress('edited', [{}])], expect: [] },
        { apply: [ingress('edited', [])], expect: ['deny * -> x/*'] },
      ],
    },
    {
      name: 'follows the labels of a namespace',
      steps: [
        {
          apply: [
            networkPolicy('x', 'to-a', {
              pods: A,
              ingress: [{ peers: [{ namespaceSelector: labelled({ ns2: 'updated' }) }] }],
            }),
          ],
          expect: ['deny * -> x/a'],
        },
        {
          apply: [relabelled(NAMESPACE_Y, { ns: 'y', ns2: 'updated' })],
          expect: ['deny * -> x/a', 'allow y/* -> x/a'],
        },
        { apply: [NAMESPACE_Y], expect: ['deny * -> x/a'] },
      ],
    },
    {
      name: 'follows the labels of a pod that is a peer',
      steps: [
        {
          apply: [
            networkPolicy('x', 'to-a', {
              pods: A,
              ingress: [{ peers: [{ podSelector: labelled({ pod: 'b', pod2: 'updated' }) }] }],
            }),
          ],
          expect: ['deny * -> x/a'],
        },
        { apply: [relabelled(X_B, { pod: 'b', pod2: 'updated' })], expect: ['deny * -> x/a', 'allow x/b -> x/a'] },
        { apply: [X_B], expect: ['deny * -> x/a'] },
      ],
    },
    {
      name: 'follows the labels of a pod that becomes a target',
      steps: [
        {
          apply: [networkPolicy('x', 'isolated', { pods: labelled({ target: 'isolated' }), ingress: [] })],
          expect: [],
        },
        { apply: [relabelled(X_A, { pod: 'a', target: 'isolated' })], expect: ['deny * -> x/a'] },
        { apply: [X_A], expect: [] },
      ],
    },
    {
      name: 'lets an ingress policy that allows all win over a narrow one',
      steps: [
        {
          apply: [ingress('only-80', [{ ports: [{ port: 80 }] }])],
          expect: ['deny * -> x/*', 'allow * -> x/* : TCP80'],
        },
        { apply: [ingress('everything', [{}])], expect: [] },
      ],
    },
    {
      name: 'lets an egress policy that allows all win over a narrow one',
      steps: [
        {
          apply: [egress('only-80', [{ ports: [{ port: 80 }] }])],
          expect: ['deny x/* -> *', 'allow x/* -> * : TCP80'],
        },
        { apply: [egress('everything', [{}])], expect: [] },
      ],
    },
    {
      name: 'stops enforcing a policy that is deleted',
      steps: [
        { apply: [DENY_ALL], expect: ['deny * -> x/*', 'deny x/* -> y/*, z/*'] },
        { remove: [DENY_ALL], expect: [] },
      ],
    },
  ],
};
