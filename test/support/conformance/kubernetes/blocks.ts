// Address blocks: prefixes, and prefixes with holes.
import { type ConformanceGroup, oneStep } from '../case.ts';
import { addressesAt } from '../cluster.ts';
import { labelled, networkPolicy, type PolicyPeer } from '../network-policy.ts';
import { placeOf } from '../xyz-cluster.ts';

const A = labelled({ pod: 'a' });

function hostPrefixes(pod: string): readonly [string, string] {
  const [v4, v6] = addressesAt(placeOf(pod));
  return [`${v4}/32`, `${v6}/128`];
}

function only(pod: string): PolicyPeer[] {
  return hostPrefixes(pod).map((cidr) => ({ ipBlock: { cidr } }));
}

/** The sixteenth of each family's addresses that all pods are in, but for one pod. */
function allBut(pod: string): PolicyPeer[] {
  const [v4, v6] = hostPrefixes(pod);
  return [{ ipBlock: { cidr: '0.0.0.0/4', except: [v4] } }, { ipBlock: { cidr: 'f000::/4', except: [v6] } }];
}

function egressOfA(peers: readonly PolicyPeer[], name = 'blocks') {
  return networkPolicy('x', name, { pods: A, egress: [{ peers }] });
}

export const blocks: ConformanceGroup = {
  name: 'address blocks',
  cases: [
    oneStep('allows egress to one address', [egressOfA(only('y/b'))], ['deny x/a -> *', 'allow x/a -> y/b']),
    oneStep('leaves an address out of a block', [egressOfA(allBut('x/b'))], ['deny x/a -> x/b']),
    {
      name: 'replaces a block with a hole by the hole',
      steps: [
        { apply: [egressOfA(allBut('x/b'))], expect: ['deny x/a -> x/b'] },
        { apply: [egressOfA(only('x/b'))], expect: ['deny x/a -> *', 'allow x/a -> x/b'] },
      ],
    },
    {
      name: 'fills the hole of one block by another policy',
      steps: [
        { apply: [egressOfA(allBut('x/b'))], expect: ['deny x/a -> x/b'] },
        { apply: [egressOfA(only('x/b'), 'hole')], expect: [] },
      ],
    },
    oneStep(
      'says nothing about the other address family',
      [egressOfA([{ ipBlock: { cidr: '0.0.0.0/0' } }])],
      ['deny x/a -> * : v6'],
    ),
  ],
};
