// Manifests as they come back from an API server: with the fields that it adds, which decide nothing.
import { defined, type Random } from './random.ts';
import type { Json } from './rules.ts';

/** Kinds whose schema lets no field of theirs be called status unless it is read. */
const OWN_STATUS: readonly unknown[] = ['Pod', 'Node', 'EndpointSlice', 'Namespace', 'ServiceAccount', 'Service'];

/** The manifest, now and then as an API server would give it out. */
export function asStored(random: Random, manifest: Json): Json {
  if (!random.chance(10)) return manifest;
  const own = manifest.metadata as Json;
  const some = <T>(value: T): T | undefined => random.maybe(50, () => value);
  const metadata = defined({
    // To the API an empty namespace is none.
    namespace: '',
    creationTimestamp: '2026-01-01T00:00:00Z',
    deletionGracePeriodSeconds: some(30),
    finalizers: some(['example.com/wait']),
    generateName: some('made-'),
    generation: some(2),
    managedFields: some([]),
    ownerReferences: some([]),
    resourceVersion: '17',
    selfLink: some('/api'),
    uid: '6d1b9ad6-0000-4000-8000-000000000000',
    labels: some({ 'example.com/stored': 'yes' }),
    deletionTimestamp: random.maybe(30, () => '2026-01-02T00:00:00Z'),
    ...own,
    annotations: { 'example.com/owner': 'team', ...(own.annotations as Json | undefined) },
  });
  const status = OWN_STATUS.includes(manifest.kind) ? undefined : some({ conditions: [] });
  return defined({ status, ...manifest, metadata });
}
