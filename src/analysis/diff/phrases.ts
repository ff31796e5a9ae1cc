// Rectangles in words, and rectangles with the same words put together: both families, and one for each namespace.
import type { ChangeKind } from './change-layers.ts';
import { coverChanges } from './cover.ts';
import type { FamilyView } from './family-view.ts';
import type { PacketSetId } from './packet-space.ts';
import type { Part } from './part.ts';
import type { Rectangle } from './rectangles.ts';
import { describeServices } from './services.ts';

export interface PlacedRectangle extends Rectangle {
  readonly view: FamilyView;
  readonly packets: PacketSetId;
}

/** What one sentence says. */
export interface Phrase {
  readonly kind: ChangeKind;
  readonly from: string;
  readonly to: string;
  readonly services: readonly string[];
  /** Set when it is said of each of several namespaces, `{namespace}` being left out of the texts. */
  readonly namespaces?: readonly string[];
  readonly rectangles: readonly PlacedRectangle[];
}

interface Draft {
  readonly kind: ChangeKind;
  readonly from: readonly Part[];
  readonly to: readonly Part[];
  readonly services: readonly string[];
  readonly rectangles: readonly PlacedRectangle[];
}

/** All changes of the families; together their rectangles are exactly what changed. */
export function phraseChanges(views: readonly FamilyView[]): Phrase[] {
  const drafts = views.flatMap(draftsOf);
  return mergeNamespaces(mergeBy(drafts, (draft) => keyOf(draft, textOf)));
}

function draftsOf(view: FamilyView): Draft[] {
  const services = new Map<PacketSetId, readonly string[]>();
  return coverChanges(view.changes, view.space).map(({ kind, packets, rectangle }): Draft => {
    const texts = services.get(packets) ?? describeServices(view.space.slicesOf(packets), view.family);
    services.set(packets, texts);
    const { sources, destinations, from, to } = inFewestWords(view, rectangle, view.changes.spare);
    return { kind, from, to, services: texts, rectangles: [{ view, packets, sources, destinations }] };
  });
}

type Worded = Rectangle & { readonly from: readonly Part[]; readonly to: readonly Part[] };

/** One endpoint's own addresses may be told with its peers or not: nothing passes between them. */
function inFewestWords(
  view: FamilyView,
  { sources, destinations }: Rectangle,
  spare: readonly (readonly number[])[],
): Worded {
  const to = chooseWords(view, destinations, sharedSpare(sources, spare));
  const from = chooseWords(view, sources, sharedSpare(destinations, spare));
  const isOneKept = from.groups === sources || to.groups === destinations;
  const settled = isOneKept ? from : { groups: sources, parts: view.describe(sources) };
  return { sources: settled.groups, destinations: to.groups, from: settled.parts, to: to.parts };
}

function chooseWords(
  view: FamilyView,
  groups: readonly number[],
  spare: readonly number[],
): { groups: readonly number[]; parts: readonly Part[] } {
  const parts = view.describe(groups);
  if (spare.length === 0) return { groups, parts };
  const variants = [
    [...new Set([...groups, ...spare])].sort((a, b) => a - b),
    groups.filter((group) => !spare.includes(group)),
  ];
  let best = { groups, parts };
  for (const variant of variants) {
    if (variant.length === 0 || variant.length === groups.length) continue;
    const words = view.describe(variant);
    if (lengthOf(words) < lengthOf(best.parts)) best = { groups: variant, parts: words };
  }
  return best;
}

function lengthOf(parts: readonly Part[]): number {
  return 100 * parts.length + parts.reduce((sum, { text }) => sum + text.length, 0);
}

/** Groups between which and all of these nothing passes. */
function sharedSpare(groups: readonly number[], spare: readonly (readonly number[])[]): readonly number[] {
  let shared = spare[groups[0] ?? 0] ?? [];
  for (const group of groups) {
    if (shared.length === 0) break;
    shared = shared.filter((other) => spare[group]?.includes(other));
  }
  return shared;
}

function textOf({ text }: Part): string {
  return text;
}

function keyOf({ kind, services, from, to }: Draft, wordOf: (part: Part) => string): string {
  return [kind, services.join(), from.map(wordOf).join(), to.map(wordOf).join()].join('\n');
}

function mergeBy(drafts: readonly Draft[], key: (draft: Draft) => string): Draft[] {
  const merged = new Map<string, Draft>();
  for (const draft of drafts) {
    const text = key(draft);
    const known = merged.get(text);
    const rectangles = [...(known?.rectangles ?? []), ...draft.rectangles];
    merged.set(text, { ...draft, rectangles });
  }
  return [...merged.values()];
}

/** Drafts that are the same but for the one namespace they speak of become one. */
function mergeNamespaces(drafts: readonly Draft[]): Phrase[] {
  const byTemplate = new Map<string, { namespace: string; draft: Draft }[]>();
  const phrases: Phrase[] = [];
  for (const draft of drafts) {
    const namespace = onlyNamespace(draft);
    if (namespace === undefined) phrases.push(plainPhrase(draft));
    else {
      const key = keyOf(draft, templateOf);
      byTemplate.set(key, [...(byTemplate.get(key) ?? []), { namespace, draft }]);
    }
  }
  for (const found of byTemplate.values()) {
    const namespaces = [...new Set(found.map(({ namespace }) => namespace))].sort();
    const [first] = found;
    if (namespaces.length === 1 || first === undefined) phrases.push(...found.map(({ draft }) => plainPhrase(draft)));
    else
      phrases.push({
        ...templatePhrase(first.draft),
        namespaces,
        rectangles: found.flatMap(({ draft }) => draft.rectangles),
      });
  }
  return phrases;
}

/** The namespace, if leaving it out leaves out nothing else. */
function onlyNamespace({ from, to }: Draft): string | undefined {
  const named = [...from, ...to].filter(({ namespace }) => namespace !== undefined);
  const namespaces = new Set(named.map(({ namespace }) => namespace));
  const isComplete = named.every(({ template }) => template !== undefined);
  return namespaces.size === 1 && isComplete ? named[0]?.namespace : undefined;
}

function templateOf({ text, template }: Part): string {
  return template ?? text;
}

function plainPhrase({ kind, from, to, services, rectangles }: Draft): Phrase {
  return { kind, from: joinParts(from, textOf), to: joinParts(to, textOf), services, rectangles };
}

function templatePhrase({ kind, from, to, services }: Draft): Omit<Phrase, 'rectangles'> {
  const wordOf = (part: Part): string => templateOf(part).replaceAll('{namespace}', 'the namespace');
  return { kind, from: joinParts(from, wordOf), to: joinParts(to, wordOf), services };
}

function joinParts(parts: readonly Part[], wordOf: (part: Part) => string): string {
  return parts.map(wordOf).join(', ');
}
