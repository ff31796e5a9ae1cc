// Whom the base policy is about: its namespace and its pod selector; and rules that allow all or nothing.
import { type ConformanceGroup, oneStep } from '../case.ts';
import { ANY, expression, labelled } from '../network-policy.ts';
import {
  BASE_EGRESS_ROWS,
  BASE_INGRESS_ROWS,
  BASE_ROWS,
  basePolicy,
  baseWithRules,
  CLOSED_EGRESS,
  CLOSED_INGRESS,
} from './base-policy.ts';

export const targets: ConformanceGroup = {
  name: 'target',
  cases: [
    oneStep('in namespace x', [basePolicy({ namespace: 'x' })], BASE_ROWS),
    oneStep(
      'in namespace y',
      [basePolicy({ namespace: 'y' })],
      [
        'deny * -> y/a',
        'allow x/b, x/c, y/b, y/c -> y/a : TCP80',
        'deny y/a -> *',
        'allow y/a -> y/b, z/a, z/b : TCP80',
      ],
    ),
    oneStep(
      'in namespace z',
      [basePolicy({ namespace: 'z' })],
      [
        'deny * -> z/a',
        'allow x/b, x/c, y/b, y/c -> z/a : TCP80',
        'deny z/a -> *',
        'allow z/a -> y/a, y/b, z/b : TCP80',
      ],
    ),
    oneStep(
      'all pods of the namespace',
      [basePolicy({ pods: ANY })],
      [
        'deny * -> x/*',
        'deny x/* -> y/*, z/*',
        'allow y/b, y/c -> x/* : TCP80',
        'allow x/* -> y/a, y/b, z/a, z/b : TCP80',
      ],
    ),
    oneStep('one pod by its label', [basePolicy({ pods: labelled({ pod: 'a' }) })], BASE_ROWS),
    oneStep(
      'two pods by an expression',
      [basePolicy({ pods: expression('pod', 'In', 'a', 'b') })],
      [
        'deny * -> x/a, x/b',
        'deny x/a, x/b -> *',
        'allow x/c, y/b, y/c -> x/a, x/b : TCP80',
        'allow x/a, x/b -> y/a, y/b, z/a, z/b : TCP80',
      ],
    ),
  ],
};

export const rules: ConformanceGroup = {
  name: 'rule',
  cases: [
    oneStep('egress: no rules', [baseWithRules({ egress: [] })], [...BASE_INGRESS_ROWS, ...CLOSED_EGRESS]),
    oneStep('egress: an empty rule', [baseWithRules({ egress: [{}] })], BASE_INGRESS_ROWS),
    oneStep('ingress: no rules', [baseWithRules({ ingress: [] })], [...CLOSED_INGRESS, ...BASE_EGRESS_ROWS]),
    oneStep('ingress: an empty rule', [baseWithRules({ ingress: [{}] })], BASE_EGRESS_ROWS),
  ],
};
