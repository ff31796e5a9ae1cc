// Edits of generated worlds: what people change, in all sizes.
import { identityOf, type Manifest, manifestsOf } from '../worlds/manifests.ts';
import type { Random } from '../worlds/random.ts';

/** Manifests that could come after these. */
export function editedOf(random: Random, manifests: readonly Manifest[]): Manifest[] {
  return random.weighted(
    [3, () => without(random, manifests, 1)],
    [2, () => without(random, manifests, random.between(2, 5))],
    [4, () => withOthers(manifests, random.some(manifestsOf(random).filter(isPolicyLike), 40))],
    [2, () => withOthers(without(random, manifests, 2), random.some(manifestsOf(random).filter(isPolicyLike), 60))],
    [2, () => relabelled(random, manifests)],
    [1, () => random.shuffle(manifests)],
    [2, () => manifestsOf(random)],
  );
}

function without(random: Random, manifests: readonly Manifest[], count: number): Manifest[] {
  return random.shuffle(manifests).slice(count);
}

/** The same name means the same object: the other replaces it. */
function withOthers(manifests: readonly Manifest[], others: readonly Manifest[]): Manifest[] {
  const replaced = new Set(others.map(identityOf));
  return [...manifests.filter((manifest) => !replaced.has(identityOf(manifest))), ...others];
}

/** Everything but what has addresses of its own, which two worlds would quarrel about. */
function isPolicyLike({ kind }: Manifest): boolean {
  return !['WorkloadEndpoint', 'Pod', 'HostEndpoint', 'Node'].includes(String(kind));
}

/** One object takes the labels of another. */
function relabelled(random: Random, manifests: readonly Manifest[]): Manifest[] {
  const labelled = manifests.filter(({ metadata }) => (metadata as { labels?: unknown }).labels !== undefined);
  if (labelled.length === 0) return [...manifests];
  const [to, from] = [random.pick(labelled), random.pick(labelled)];
  const { labels } = from.metadata as { labels: unknown };
  return manifests.map((manifest) =>
    manifest === to ? { ...manifest, metadata: { ...(manifest.metadata as object), labels } } : manifest,
  );
}
