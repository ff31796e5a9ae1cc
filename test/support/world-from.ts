// Manifests as text -> the world, the way the product builds it.
import { buildWorld } from '../../src/model/build-world.ts';
import type { World } from '../../src/model/world.ts';
import { parseDocuments } from '../../src/resources/document.ts';

/** Throws the first error: what a test writes is valid unless the test is about errors. */
export function worldFrom(manifests: string): World {
  const { resources, errors } = parseDocuments(manifests, 'test.yaml');
  const { world, errors: worldErrors } = buildWorld(resources);
  const first = [...errors, ...worldErrors][0];
  if (first !== undefined) throw first;
  return world;
}
