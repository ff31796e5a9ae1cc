// Where each rule of the model stands in its manifest. An item of a Kubernetes policy becomes one rule for each protocol
// and peer, peers innermost, that share one location; every other item becomes one rule.
import type { Direction, Rule } from '../../model/policy.ts';
import type { FieldPath } from '../../resources/field-path.ts';
import type { Resource } from '../../resources/resource.ts';

/** Path of the item, or of the peer inside it where the item has peers. */
export type RulePlace = FieldPath;

/** The place of each of the rules in the direction. */
export function rulePlaces(resource: Resource, direction: Direction, rules: readonly Rule[]): RulePlace[] {
  const peers = peerCounts(resource, direction);
  if (peers === undefined) return rules.map((_, item) => ['spec', direction, item]);
  const field = direction === 'ingress' ? 'from' : 'to';
  let item = -1;
  let position = 0;
  return rules.map(({ location }, index) => {
    const isNext = location !== rules[index - 1]?.location;
    item += isNext ? 1 : 0;
    position = isNext ? 0 : position + 1;
    const count = peers[item] ?? 0;
    const path = ['spec', direction, item];
    return count === 0 ? path : [...path, field, position % count];
  });
}

/** How many peers each item lists; undefined = items of this kind have no list of peers. */
function peerCounts(resource: Resource, direction: Direction): number[] | undefined {
  switch (resource.type) {
    case 'KubernetesNetworkPolicy':
    case 'StagedKubernetesNetworkPolicy':
    case 'ClusterNetworkPolicy':
      return direction === 'ingress'
        ? (resource.spec.ingress ?? []).map(({ from }) => from?.length ?? 0)
        : (resource.spec.egress ?? []).map(({ to }) => to?.length ?? 0);
    default:
      return undefined;
  }
}
