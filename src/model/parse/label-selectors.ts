// Label selectors of Kubernetes' own policy kinds -> Selector. Their syntax was checked with the document.
import type { LabelSelectorSpec } from '../../resources/schemas/label-selector.ts';
import type { Selector } from '../selector/ast.ts';
import { conjunction, equals, has, isIn, isNotIn, negate } from '../selector/construct.ts';
import { ORCHESTRATOR_LABEL } from '../selector/scope.ts';

/** What Kubernetes' policies speak of: neither host endpoints, nor network sets, nor workloads of others. */
export const IS_POD = equals(ORCHESTRATOR_LABEL, 'k8s');

/** matchLabels and matchExpressions, ANDed; an empty one selects all. */
export function parseLabelSelector(spec: LabelSelectorSpec): Selector {
  const labels = Object.entries(spec.matchLabels ?? {}).map(([label, value]) => equals(label, value));
  const expressions = (spec.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (operator === 'In') return isIn(key, values);
    if (operator === 'NotIn') return isNotIn(key, values);
    return operator === 'Exists' ? has(key) : negate(has(key));
  });
  return conjunction(...labels, ...expressions);
}
