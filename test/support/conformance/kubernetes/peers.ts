// Peers: which pods a rule speaks of, by pod labels, namespace labels, both, or either.
import { type ConformanceGroup, oneStep } from '../case.ts';
import { ANY, expression, labelled, networkPolicy, type PolicyPeer } from '../network-policy.ts';

const A = labelled({ pod: 'a' });
const B = labelled({ pod: 'b' });
const NAME_LABEL = 'kubernetes.io/metadata.name';

function ingressToA(...peers: PolicyPeer[]) {
  return [networkPolicy('x', 'to-a', { pods: A, ingress: [{ peers }] })];
}

export const peers: ConformanceGroup = {
  name: 'peers',
  cases: [
    oneStep('allows a pod of the same namespace by its labels', ingressToA({ podSelector: B }), [
      'deny * -> x/a',
      'allow x/b -> x/a',
    ]),
    oneStep('allows pods of all namespaces', ingressToA({ namespaceSelector: labelled({}) }), []),
    oneStep(
      'allows pods of another namespace by its labels',
      ingressToA({ namespaceSelector: labelled({ ns: 'y' }) }),
      ['deny x/*, z/* -> x/a'],
    ),
    oneStep('selects pods by matchExpressions', ingressToA({ podSelector: expression('pod', 'In', 'b') }), [
      'deny * -> x/a',
      'allow x/b -> x/a',
    ]),
    oneStep('selects namespaces by matchExpressions', ingressToA({ namespaceSelector: expression('ns', 'In', 'y') }), [
      'deny x/*, z/* -> x/a',
    ]),
    oneStep(
      'allows what either of a namespace peer and a pod peer selects',
      ingressToA({ namespaceSelector: expression('ns', 'NotIn', 'x') }, { podSelector: B }),
      ['deny x/c -> x/a'],
    ),
    oneStep(
      'allows only what both selectors of one peer select',
      ingressToA({ namespaceSelector: expression('ns', 'NotIn', 'x'), podSelector: B }),
      ['deny * -> x/a', 'allow y/b, z/b -> x/a'],
    ),
    oneStep(
      'allows several pods of several namespaces',
      ingressToA({ namespaceSelector: expression('ns', 'NotIn', 'x'), podSelector: expression('pod', 'In', 'b', 'c') }),
      ['deny * -> x/a', 'allow y/b, y/c, z/b, z/c -> x/a'],
    ),
    oneStep(
      'allows what any of several pod peers selects',
      ingressToA({ podSelector: B }, { podSelector: labelled({ pod: 'c' }) }),
      ['deny * -> x/a', 'allow x/b, x/c -> x/a'],
    ),
    oneStep(
      'allows one pod of another namespace, in every protocol',
      ingressToA({ namespaceSelector: labelled({ ns: 'y' }), podSelector: A }),
      ['deny * -> x/a', 'allow y/a -> x/a'],
    ),
    oneStep(
      'means the own namespace where a peer names no namespace',
      [networkPolicy('x', 'own-namespace', { ingress: [{ peers: [{ podSelector: ANY }] }] })],
      ['deny y/*, z/* -> x/*'],
    ),
    oneStep(
      'knows a namespace by the label that the API server gives it',
      ingressToA({ namespaceSelector: labelled({ [NAME_LABEL]: 'y' }) }),
      ['deny x/*, z/* -> x/a'],
    ),
    oneStep(
      'excludes a namespace by the label that the API server gives it',
      [
        networkPolicy('x', 'from-a', {
          pods: A,
          egress: [{ peers: [{ namespaceSelector: expression(NAME_LABEL, 'NotIn', 'y') }] }],
        }),
      ],
      ['deny x/a -> y/*'],
    ),
    oneStep(
      'allows egress to one pod of another namespace',
      [
        networkPolicy('x', 'from-a', {
          pods: A,
          egress: [{ peers: [{ namespaceSelector: labelled({ ns: 'y' }), podSelector: A }] }],
        }),
      ],
      ['deny x/a -> *', 'allow x/a -> y/a'],
    ),
    oneStep(
      'lets the client side deny what the server side allows',
      [
        networkPolicy('x', 'from-a-to-y-a', {
          pods: A,
          egress: [{ peers: [{ namespaceSelector: labelled({ ns: 'y' }), podSelector: A }] }],
        }),
        ...[A, B].map((pods, index) =>
          networkPolicy('y', `from-x-a-${index}`, {
            pods,
            ingress: [{ peers: [{ namespaceSelector: labelled({ ns: 'x' }), podSelector: A }] }],
          }),
        ),
      ],
      ['deny x/a -> *', 'deny * -> y/a, y/b', 'allow x/a -> y/a'],
    ),
  ],
};
