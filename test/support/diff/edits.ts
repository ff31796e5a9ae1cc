// Edits of generated worlds: what people change, in all sizes.
import { identityOf, type Manifest, manifestsOf } from '../worlds/manifests.ts';
import type { Random } from '../worlds/random.ts';

/** Manifests that could come after these. Some edits are refused by validation: then the object is gone. */
export function editedOf(random: Random, manifests: readonly Manifest[]): Manifest[] {
  return random.weighted(
    [3, () => without(random, manifests, 1)],
    [2, () => without(random, manifests, random.between(2, 5))],
    [4, () => withOthers(manifests, random.some(manifestsOf(random).filter(isPolicyLike), 40))],
    [2, () => withOthers(without(random, manifests, 2), random.some(manifestsOf(random).filter(isPolicyLike), 60))],
    [2, () => relabelled(random, manifests)],
    [8, () => tweaked(random, manifests)],
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

/** Field names and values that turn into each other by a slip of the pen. */
const SLIPS: Readonly<Record<string, string>> = {
  nets: 'notNets',
  notNets: 'nets',
  selector: 'notSelector',
  notSelector: 'selector',
  ports: 'notPorts',
  notPorts: 'ports',
  protocol: 'notProtocol',
  notProtocol: 'protocol',
  source: 'destination',
  destination: 'source',
  ingress: 'egress',
  egress: 'ingress',
  Allow: 'Deny',
  Deny: 'Pass',
  Pass: 'Allow',
  Log: 'Deny',
  Accept: 'Deny',
  Ingress: 'Egress',
  Egress: 'Ingress',
  TCP: 'UDP',
  UDP: 'TCP',
};

/** One field, value or item of one policy, tier, profile or set is another, or gone. */
function tweaked(random: Random, manifests: readonly Manifest[]): Manifest[] {
  const candidates = manifests.filter((manifest) => isPolicyLike(manifest) && placesOf(manifest.spec).length > 0);
  if (candidates.length === 0) return [...manifests];
  const chosen = random.pick(candidates);
  const copy = structuredClone(chosen);
  const tiers = candidates.filter(({ kind }) => kind === 'Tier');
  if (random.chance(15) && tiers.length > 0) {
    const tier = random.pick(tiers);
    const spec = tier.spec as { defaultAction?: string };
    const defaultAction = spec.defaultAction === 'Pass' ? 'Deny' : 'Pass';
    return manifests.map((manifest) => (manifest === tier ? { ...tier, spec: { ...spec, defaultAction } } : manifest));
  }
  random.pick(placesOf(copy.spec))();
  return manifests.map((manifest) => (manifest === chosen ? copy : manifest));
}

/** Every slip that the value allows, each a function that makes it. */
function placesOf(value: unknown): (() => void)[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => [
      () => value.splice(index, 1),
      ...(typeof item === 'string' && SLIPS[item] !== undefined ? [() => value.splice(index, 1, SLIPS[item])] : []),
      ...placesOf(item),
    ]);
  }
  const fields = value as Record<string, unknown>;
  return Object.entries(fields).flatMap(([key, field]) => {
    const slips: (() => void)[] = [];
    const [otherKey, otherValue] = [SLIPS[key], typeof field === 'string' ? SLIPS[field] : undefined];
    if (otherKey !== undefined && fields[otherKey] === undefined) {
      slips.push(() => {
        delete fields[key];
        fields[otherKey] = field;
      });
    }
    if (otherValue !== undefined) {
      slips.push(() => {
        fields[key] = otherValue;
      });
    }
    return [...slips, ...placesOf(field)];
  });
}
