// Labels, values, service accounts and port names that are nearly the same: different only in case, or one slip away.
import type { Selector } from '../../../model/selector/ast.ts';
import { NAMESPACE_PREFIX, SERVICE_ACCOUNT_LABEL, SERVICE_ACCOUNT_PREFIX } from '../../../model/selector/scope.ts';
import type { FieldPath } from '../../../resources/field-path.ts';
import type { Resource, ResourceType } from '../../../resources/resource.ts';
import { plainLabel } from '../../describe-selector.ts';
import { findingAbout, type LintContext } from '../context.ts';
import type { Finding } from '../finding.ts';
import { atomsOf, describeMiss, type NearMiss, type NearMisses } from '../near-misses.ts';

/** A selector of a policy or of one of its rules, and where it is written. */
interface SelectorUse {
  readonly selector: Selector;
  readonly resource: Resource;
  readonly path: FieldPath;
  /** The selector matches something. */
  readonly isMet: boolean;
}

export function checkLabels(context: LintContext, nearMisses: NearMisses): Finding[] {
  const uses = selectorUses(context);
  return [...checkCase(context, uses), ...(context.hasEndpoints ? checkSlips(uses, nearMisses) : [])];
}

/** A selector that matches nothing has a finding of its own, with the same hint. */
function checkSlips(uses: readonly SelectorUse[], nearMisses: NearMisses): Finding[] {
  return uses
    .filter(({ isMet }) => isMet)
    .flatMap(({ selector, resource, path }) =>
      nearMisses
        .in(selector)
        .filter((miss) => !isCaseOnly(miss))
        .map((miss) => findingAbout(resource, 'label-typo', describeMiss(miss), { path })),
    );
}

function isCaseOnly({ label, value, meant }: NearMiss): boolean {
  return (value ?? label).toLowerCase() === meant.toLowerCase();
}

/** Where a spelling was seen first, and how often. */
interface Spelling {
  readonly text: string;
  readonly resource: Resource;
  readonly path: FieldPath;
  count: number;
}

/** One finding for each pair of spellings, at the rarer one. */
function checkCase(context: LintContext, uses: readonly SelectorUse[]): Finding[] {
  const spellings = new Map<string, Map<string, Spelling>>();
  const note = (scope: string, text: string, resource: Resource, path: FieldPath): void => {
    const key = `${scope}\0${text.toLowerCase()}`;
    const known = spellings.get(key) ?? new Map<string, Spelling>();
    spellings.set(key, known);
    const spelling = known.get(text);
    if (spelling === undefined) known.set(text, { text, resource, path, count: 1 });
    else spelling.count += 1;
  };
  noteWritten(context, note);
  for (const { selector, resource, path } of uses) {
    for (const { label, value } of atomsOf(selector)) {
      note('label', label, resource, path);
      if (value !== undefined) note(label, value, resource, path);
    }
  }
  return [...spellings].flatMap(([key, known]) => caseFindings(key.split('\0')[0] as string, [...known.values()]));
}

function caseFindings(scope: string, known: readonly Spelling[]): Finding[] {
  const [usual, ...others] = [...known].sort((a, b) => b.count - a.count || (a.text < b.text ? -1 : 1));
  if (usual === undefined) return [];
  const noun = scope === 'label' ? 'label' : scope === SERVICE_ACCOUNT_LABEL ? 'service account' : plainLabel(scope);
  return others.map(({ text, resource, path }) => {
    const [here, there] = [text, usual.text].map((spelling) => JSON.stringify(plainLabel(spelling)));
    const message = `${noun} ${here} is written ${there} elsewhere: the two are different things`;
    const location = findingAbout(usual.resource, 'names-differ-only-by-case', '', { path: usual.path }).location;
    return findingAbout(resource, 'names-differ-only-by-case', message, {
      path,
      related: [{ message: `${there} is written here`, location }],
    });
  });
}

type Note = (scope: string, text: string, resource: Resource, path: FieldPath) => void;

/** Names that objects have: their labels and port names; and those of ports that rules ask for. */
function noteWritten({ resources, world, subjects }: LintContext, note: Note): void {
  const byLocation = new Map(resources.map((resource) => [resource.location, resource]));
  for (const resource of resources) {
    const prefix = LABEL_PREFIXES[resource.type] ?? '';
    for (const [label, value] of Object.entries(resource.metadata.labels)) {
      const path = ['metadata', 'labels', label];
      note('label', prefix + label, resource, path);
      note(prefix + label, value, resource, path);
    }
  }
  for (const { location, ports } of [...world.workloadEndpoints.values(), ...world.hostEndpoints.values()]) {
    const resource = byLocation.get(location);
    for (const { name } of ports) if (resource !== undefined) note(PORT_NAME, name, resource, ['spec']);
  }
  for (const { owner, rule, place } of subjects.values()) {
    for (const port of [rule.source, rule.destination].flatMap((side) => [...side.ports, ...side.notPorts])) {
      if (port.kind === 'named') note(PORT_NAME, port.name, owner.resource, place);
    }
  }
}

const PORT_NAME = 'port name';
/** How selectors reach the labels of kinds that lend theirs to endpoints. */
const LABEL_PREFIXES: Readonly<Partial<Record<ResourceType, string>>> = {
  Namespace: NAMESPACE_PREFIX,
  ServiceAccount: SERVICE_ACCOUNT_PREFIX,
};

/** Selectors as scoped, with the place of what the user wrote. */
function selectorUses({ owners, subjects, inventory }: LintContext): SelectorUse[] {
  const uses: SelectorUse[] = [];
  const add = (selector: Selector, resource: Resource, path: FieldPath): void => {
    uses.push({ selector, resource, path, isMet: inventory.selected(selector).length > 0 });
  };
  for (const owner of owners) if (owner.kind === 'policy') add(owner.object.selector, owner.resource, ['spec']);
  const places = new Set<string>();
  for (const { owner, direction, place, rule } of subjects.values()) {
    const key = JSON.stringify([owner.resource.id, direction, place]);
    if (places.has(key)) continue;
    places.add(key);
    for (const side of [rule.source, rule.destination]) {
      for (const selector of [side.selector, side.notSelector]) {
        if (selector !== undefined) add(selector, owner.resource, place);
      }
    }
  }
  return uses;
}
