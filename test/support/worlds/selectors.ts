// Selector text with every operator of the language, spelled as people spell it.
import type { Random } from './random.ts';
import { LABELS, NAMESPACES, SERVICE_ACCOUNTS, VALUES } from './vocabulary.ts';

/** What selectors of endpoints and sets can speak of besides own labels. */
const IMPLICIT = [
  'projectcalico.org/namespace == "nsa"',
  'has(projectcalico.org/namespace)',
  'projectcalico.org/orchestrator == "k8s"',
  'projectcalico.org/serviceaccount in {"default", "builder"}',
  'pcns.env == "web"',
  'pcns.projectcalico.org/name != "nsa"',
  'pcsa.role == "web"',
] as const;

/** Selector of endpoints and network sets. */
export function selector(random: Random): string {
  return tree(random, 3, () => (random.chance(15) ? random.pick(IMPLICIT) : comparison(random)));
}

/** Selector of namespaces by their own labels and names, global() and all() included. */
export function namespaceSelector(random: Random): string {
  return random.weighted<string>(
    [1, () => 'all()'],
    [1, () => 'global()'],
    [2, () => `projectcalico.org/name == "${random.pick(NAMESPACES)}"`],
    [1, () => `kubernetes.io/metadata.name in {${quoted(random, random.some(NAMESPACES))}}`],
    [2, () => tree(random, 2, () => comparison(random))],
  );
}

/** Selector of service accounts by their own labels and names. */
export function serviceAccountSelector(random: Random): string {
  return random.weighted<string>(
    [1, () => 'all()'],
    [1, () => `projectcalico.org/name == "${random.pick(SERVICE_ACCOUNTS)}"`],
    [2, () => tree(random, 1, () => comparison(random))],
  );
}

function comparison(random: Random): string {
  const label = random.pick(LABELS);
  const value = random.pick(VALUES);
  return random.weighted<string>(
    [3, () => `${label} == "${value}"`],
    [2, () => `${label} != '${value}'`],
    [2, () => `${label} contains "${random.pick([value, '-', 'eb', ''])}"`],
    [2, () => `${label} ${random.pick(['starts with', 'startswith'])} "${random.pick([value, 'web', 'd'])}"`],
    [2, () => `${label} ${random.pick(['ends with', 'endswith'])} "${random.pick([value, 'web', 'b'])}"`],
    [3, () => `${label} in {${quoted(random, random.some(VALUES))}}`],
    [2, () => `${label} ${random.pick(['not in', 'notin'])} {${quoted(random, random.some(VALUES))}}`],
    [3, () => `has(${label})`],
    [2, () => 'all()'],
  );
}

function quoted(random: Random, values: readonly string[]): string {
  const quote = random.pick(['"', "'"]);
  return values.map((value) => quote + value + quote).join(random.pick([', ', ',']));
}

function tree(random: Random, depth: number, leaf: () => string): string {
  if (depth === 0 || random.chance(50)) return leaf();
  const branch = (): string => tree(random, depth - 1, leaf);
  return random.weighted<string>(
    [1, () => `!(${branch()})`],
    [1, () => `!${leaf()}`],
    [2, () => `(${branch()} && ${branch()})`],
    [2, () => `(${branch()} || ${branch()})`],
    [1, () => `${leaf()} && ${leaf()} || ${leaf()}`],
  );
}
