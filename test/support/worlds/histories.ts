// Generated histories: worlds that come in pieces and change, batch by batch, in every way that manifests can.
import { builtInTiers } from '../../../src/model/parse/tiers.ts';
import { parseDocuments } from '../../../src/resources/document.ts';
import { findKind } from '../../../src/resources/kinds.ts';
import { type Resource, resourceId } from '../../../src/resources/resource.ts';
import { hostManifestsOf } from './hosts.ts';
import { identityOf, type Manifest, manifestsOf } from './manifests.ts';
import { textOf } from './questions.ts';
import type { Random } from './random.ts';

/** Plain JSON, so that smallest.ts can take it apart. */
export interface Batch {
  readonly set: readonly Manifest[];
  /** Where in their files they stand, 1-based. */
  readonly line: number;
  readonly remove: readonly string[];
  /** Tables are compiled after it, and the space of older ones is given back. */
  readonly isCompiled: boolean;
  readonly isRetired: boolean;
}

const MAX_STEPS = 15;
const MAX_CHANGES = 4;

export function resourcesOfBatch({ set, line }: Batch): Resource[] {
  return set.map((manifest) => resourceOf(manifest, line));
}

const parsed = new WeakMap<Manifest, Map<number, Resource>>();

/** Remembered per manifest and line: histories are gone through more than once. Throws on any error. */
function resourceOf(manifest: Manifest, line: number): Resource {
  const byLine = parsed.get(manifest) ?? new Map<number, Resource>();
  parsed.set(manifest, byLine);
  const known = byLine.get(line);
  if (known !== undefined) return known;
  const { resources, errors } = parseDocuments('\n'.repeat(line - 1) + textOf(manifest), 'generated.yaml');
  const [resource] = resources;
  if (resource === undefined) throw errors[0] ?? new Error(`no resource in ${JSON.stringify(manifest)}`);
  byLine.set(line, resource);
  return resource;
}

function idOf({ apiVersion, kind, metadata }: Manifest): string {
  const definition = findKind(String(apiVersion), String(kind));
  if (definition === undefined) throw new Error(`unknown kind ${apiVersion} ${kind}`);
  const { namespace, name } = metadata as { namespace?: string; name: string };
  return resourceId(definition.type, definition.isNamespaced ? namespace : undefined, name);
}

/**
 * A world in one or several batches, then changes: other objects, the same with other contents, removals. Every other
 * world has hosts in it.
 */
export function historyOf(random: Random): Batch[] {
  const worldOf = random.chance(50) ? hostManifestsOf : manifestsOf;
  const writer = new HistoryWriter(random, worldOf(random), worldOf(random));
  for (const part of split(random, writer.initial)) writer.add(part, []);
  const steps = random.between(1, MAX_STEPS);
  for (let step = 0; step < steps; step++) writer.step();
  return writer.batches;
}

/** What is there in the end, by id. */
export function endOf(batches: readonly Batch[]): ReadonlyMap<string, Resource> {
  const present = new Map<string, Resource>();
  for (const batch of batches) {
    for (const id of batch.remove) present.delete(id);
    for (const resource of resourcesOfBatch(batch)) present.set(resource.id, resource);
  }
  return present;
}

class HistoryWriter {
  readonly batches: Batch[] = [];
  readonly initial: readonly Manifest[];
  readonly #random: Random;
  readonly #pool: readonly Manifest[];
  readonly #present = new Map<string, Manifest>();

  constructor(random: Random, initial: readonly Manifest[], others: readonly Manifest[]) {
    this.#random = random;
    this.initial = initial;
    this.#pool = [...initial, ...others];
  }

  add(set: readonly Manifest[], remove: readonly string[]): void {
    for (const id of remove) this.#present.delete(id);
    for (const manifest of set) this.#present.set(idOf(manifest), manifest);
    const random = this.#random;
    const line = random.between(1, 2);
    this.batches.push({ set, line, remove, isCompiled: random.chance(70), isRetired: random.chance(80) });
  }

  step(): void {
    const set: Manifest[] = [];
    const remove: string[] = [];
    for (let change = this.#random.between(1, MAX_CHANGES); change > 0; change--) {
      this.#random.weighted(
        [3, () => set.push(this.#random.pick(this.#pool))],
        [4, () => set.push(...this.#some().flatMap((manifest) => this.#edited(manifest)))],
        [1, () => set.push(...this.#some())],
        [3, () => remove.push(...this.#some().map(idOf))],
        [1, () => remove.push(idOf(this.#random.pick(this.#pool)))],
      );
    }
    this.add(set, remove);
  }

  /** One of what is there, as it is; nothing if nothing is there. */
  #some(): Manifest[] {
    return this.#present.size === 0 ? [] : [this.#random.pick([...this.#present.values()])];
  }

  /** The name of the object with the contents of another of its kind. */
  #edited(manifest: Manifest): Manifest[] {
    if (isBuiltIn(manifest)) return [];
    const kind = kindOf(manifest);
    const others = this.#pool.filter((other) => kindOf(other) === kind && !isBuiltIn(other));
    const other = this.#random.pick(others);
    const { namespace, name } = manifest.metadata as Record<string, unknown>;
    return [{ ...other, metadata: { ...(other.metadata as object), namespace, name } }];
  }
}

function kindOf(manifest: Manifest): string | undefined {
  return identityOf(manifest).split('/')[0];
}

/** A tier that may not be changed. */
function isBuiltIn({ kind, metadata }: Manifest): boolean {
  return kind === 'Tier' && builtInTiers().some(({ name }) => name === (metadata as { name: string }).name);
}

function split<T>(random: Random, items: readonly T[]): T[][] {
  if (random.chance(50)) return [[...items]];
  const at = random.between(0, items.length);
  return [items.slice(0, at), ...split(random, items.slice(at))];
}
