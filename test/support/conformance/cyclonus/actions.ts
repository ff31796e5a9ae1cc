// What changes under a policy: the policy itself, pods and namespaces that come and go, labels.
import type { ConformanceGroup } from '../case.ts';
import { namespace, namespaceOf, podOf, relabelled } from '../cluster.ts';
import { expression, labelled, networkPolicy } from '../network-policy.ts';
import { latePod, XYZ } from '../xyz-cluster.ts';
import {
  BASE_EGRESS_ROWS,
  BASE_ROWS,
  BASE_SOURCES,
  basePolicy,
  baseWith,
  closedRows,
  rowsWith,
} from './base-policy.ts';

const SECOND_Y = namespace('y-2', { ns: 'y' });
const NAMESPACE_Y = namespaceOf(XYZ, 'y');
const Y_B = podOf(XYZ, 'y/b');
const NAMESPACE_W = namespace('w', { ns: 'w' });
const NAMED_PORT_ROWS = ['deny * -> x/*', 'allow * -> x/* : TCP81'];

export const actions: ConformanceGroup = {
  name: 'action',
  cases: [
    {
      name: 'a policy is created and deleted',
      steps: [
        { apply: [basePolicy()], expect: BASE_ROWS },
        { remove: [basePolicy()], expect: [] },
      ],
    },
    {
      name: 'a policy is created and updated',
      steps: [
        { apply: [basePolicy()], expect: BASE_ROWS },
        {
          apply: [baseWith('ingress', { ports: [{ protocol: 'UDP', port: 'serve-81-udp' }] })],
          expect: rowsWith('ingress', BASE_SOURCES, 'UDP81'),
        },
      ],
    },
    {
      name: 'a namespace with pods is created and deleted',
      steps: [
        { apply: [basePolicy()], expect: BASE_ROWS },
        {
          apply: [SECOND_Y, latePod('y-2/a'), latePod('y-2/b')],
          expect: [...BASE_ROWS, 'allow y-2/b -> x/a : TCP80', 'allow x/a -> y-2/a, y-2/b : TCP80'],
        },
        { remove: [SECOND_Y, latePod('y-2/a'), latePod('y-2/b')], expect: BASE_ROWS },
      ],
    },
    {
      name: 'a namespace gets a label that a rule selects, and loses it',
      steps: [
        {
          apply: [baseWith('ingress', { peers: [{ namespaceSelector: labelled({ 'new-ns': 'qrs' }) }] })],
          expect: closedRows('ingress'),
        },
        {
          apply: [relabelled(NAMESPACE_Y, { ns: 'y', 'new-ns': 'qrs' })],
          expect: ['deny * -> x/a', 'allow y/* -> x/a : TCP80', ...BASE_EGRESS_ROWS],
        },
        { apply: [NAMESPACE_Y], expect: closedRows('ingress') },
      ],
    },
    {
      name: 'a pod is created and deleted',
      steps: [
        { apply: [basePolicy()], expect: BASE_ROWS },
        { apply: [latePod('x/d')], expect: BASE_ROWS },
        { remove: [latePod('x/d')], expect: BASE_ROWS },
      ],
    },
    {
      name: 'a pod gets a label that a rule selects, and loses it',
      steps: [
        {
          apply: [
            baseWith('ingress', {
              peers: [
                {
                  podSelector: labelled({ 'new-label': 'abc' }),
                  namespaceSelector: expression('ns', 'In', 'y', 'z'),
                },
              ],
            }),
          ],
          expect: closedRows('ingress'),
        },
        {
          apply: [relabelled(Y_B, { pod: 'b', 'new-label': 'abc' })],
          expect: ['deny * -> x/a', 'allow y/b -> x/a : TCP80', ...BASE_EGRESS_ROWS],
        },
        { apply: [Y_B], expect: closedRows('ingress') },
      ],
    },
  ],
};

export const example: ConformanceGroup = {
  name: 'example',
  cases: [
    {
      name: 'a named port stays the only one open while a namespace with a pod comes and goes',
      steps: [
        {
          apply: [networkPolicy('x', 'named', { ingress: [{ ports: [{ port: 'serve-81-tcp' }] }] })],
          expect: NAMED_PORT_ROWS,
        },
        { apply: [NAMESPACE_W, latePod('w/a')], expect: NAMED_PORT_ROWS },
        { remove: [latePod('w/a')], expect: NAMED_PORT_ROWS },
        { remove: [NAMESPACE_W], expect: NAMED_PORT_ROWS },
      ],
    },
  ],
};
