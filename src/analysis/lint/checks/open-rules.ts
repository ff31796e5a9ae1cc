// Rules that allow everybody in a way that looks like a slip: nothing said, something empty said, or a negation that
// leaves more than its author has in mind.
import type { FieldPath } from '../../../resources/field-path.ts';
import type { KubernetesPolicySpec } from '../../../resources/schemas/kubernetes-policy.ts';
import type { EntitySpec, RuleSpec } from '../../../resources/schemas/rule.ts';
import { findingAbout, type LintContext, type RuleOwner } from '../context.ts';
import type { Finding } from '../finding.ts';

interface Slip {
  readonly path: FieldPath;
  readonly message: string;
  readonly hint: string;
}

const SAY_WHOM = 'say whom you mean: a selector, or nets: [0.0.0.0/0] and [::/0] for everybody';

export function checkOpenRules({ owners }: LintContext): Finding[] {
  return owners
    .filter((owner) => owner.kind === 'policy')
    .flatMap((owner) =>
      slipsOf(owner).map(({ path, message, hint }) =>
        findingAbout(owner.resource, 'allow-all-by-accident', message, { path, hint }),
      ),
    );
}

function slipsOf({ resource, object }: Extract<RuleOwner, { kind: 'policy' }>): Slip[] {
  switch (resource.type) {
    case 'KubernetesNetworkPolicy':
    case 'StagedKubernetesNetworkPolicy':
      return kubernetesSlips(resource.spec);
    case 'NetworkPolicy':
    case 'StagedNetworkPolicy':
    case 'GlobalNetworkPolicy':
    case 'StagedGlobalNetworkPolicy': {
      const isClusterWide = object.namespace === undefined;
      const { ingress = [], egress = [] } = resource.spec;
      return [
        ...ingress.flatMap((rule, index) => calicoSlips(rule, ['spec', 'ingress', index], 'source', isClusterWide)),
        ...egress.flatMap((rule, index) => calicoSlips(rule, ['spec', 'egress', index], 'destination', isClusterWide)),
      ];
    }
    default:
      return [];
  }
}

function calicoSlips(rule: RuleSpec, path: FieldPath, peer: 'source' | 'destination', isClusterWide: boolean): Slip[] {
  if (rule.action.toLowerCase() !== 'allow') return [];
  const entity = rule[peer];
  if (peer === 'source' && isUnconditional(rule)) {
    return [{ path, message: 'allows everything from everywhere: the rule has no condition', hint: SAY_WHOM }];
  }
  if (entity === undefined) return [];
  const at = [...path, peer];
  const given = (Object.keys(entity) as (keyof EntitySpec)[]).filter((field) => entity[field] !== undefined);
  const says = given.filter((field) => !isBlank(entity[field]));
  if (given.length === 0) return [emptySlip(at, `${peer} is written down but empty`)];
  const aboutPeer = says.filter((field) => field !== 'ports' && field !== 'notPorts');
  const empty = given.find((field) => isBlank(entity[field]));
  if (aboutPeer.length === 0 && empty !== undefined) {
    return [emptySlip([...at, empty], `${peer}.${empty} is written down but empty`)];
  }
  if (isClusterWide && aboutPeer.length === 1 && aboutPeer[0] === 'notSelector') {
    const message = `${peer}.notSelector is the only condition on the peer: addresses that belong to nothing known are allowed too, the internet included`;
    return [{ path: [...at, 'notSelector'], message, hint: 'add selector: all() to mean known endpoints only' }];
  }
  return [];
}

function emptySlip(path: FieldPath, what: string): Slip {
  return { path, message: `${what}, which is no condition: everybody is allowed`, hint: SAY_WHOM };
}

function isUnconditional(rule: RuleSpec): boolean {
  const { action: _, metadata: __, ...conditions } = rule;
  return Object.values(conditions).every(isBlank);
}

/** An empty list of peers means everybody; an empty rule is the documented way to say so, and a list is not. */
function kubernetesSlips({ ingress = [], egress = [] }: KubernetesPolicySpec): Slip[] {
  const slip = (path: FieldPath, field: string): Slip => ({
    path: [...path, field],
    message: `${field} is an empty list, which is no condition: everybody is allowed`,
    hint: 'list the peers; to allow everybody leave the field out',
  });
  return [
    ...ingress.flatMap(({ from }, index) => (from?.length === 0 ? [slip(['spec', 'ingress', index], 'from')] : [])),
    ...egress.flatMap(({ to }, index) => (to?.length === 0 ? [slip(['spec', 'egress', index], 'to')] : [])),
  ];
}

function isBlank(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === 'string') return value.trim() === '';
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.values(value).every(isBlank);
}
