// Staged policies as people name them: `shop/web`, `snp/shop/web`, `baseline`, or a bare name with --namespace.
import type { Manifest } from '../agent/store/manifest.ts';
import { PROMOTIONS, type StagedKind } from '../analysis/staged/promotion.ts';
import { DataplaneError } from '../base/errors.ts';
import { nearestName } from '../resources/nearest.ts';
import { resourceTypeNamed } from './kind-names.ts';
import type { ResourceClient } from './resource-client.ts';

export const STAGED_KINDS = Object.keys(PROMOTIONS) as readonly StagedKind[];

export interface StagedObject {
  readonly type: StagedKind;
  readonly namespace?: string;
  readonly name: string;
  readonly manifest: Manifest;
}

/** Every staged policy that the agent has. */
export async function listStaged(client: ResourceClient): Promise<readonly StagedObject[]> {
  const found: StagedObject[] = [];
  for (const type of STAGED_KINDS) {
    const { items } = await client.list({ type });
    for (const manifest of items) {
      const { name, namespace } = (manifest.metadata ?? {}) as { readonly name?: string; readonly namespace?: string };
      if (name !== undefined) found.push({ type, name, manifest, ...(namespace === undefined ? {} : { namespace }) });
    }
  }
  return found;
}

/** Those that the words name, each once. Throws NOT_FOUND with the nearest name, and USAGE for what could be two. */
export function chooseStaged(
  all: readonly StagedObject[],
  words: readonly string[],
  namespace: string | undefined,
): readonly StagedObject[] {
  return [...new Set(words.map((word) => chooseOne(all, word, namespace)))];
}

/** `shop/web`, `baseline`. */
export function stagedName({ namespace, name }: Pick<StagedObject, 'namespace' | 'name'>): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function chooseOne(all: readonly StagedObject[], word: string, namespace: string | undefined): StagedObject {
  const steps = word.split('/');
  const type = steps.length > 1 ? resourceTypeNamed(steps[0] as string) : undefined;
  const rest = type === undefined ? word : steps.slice(1).join('/');
  const found = all.filter(
    (object) =>
      (type === undefined || object.type === type) &&
      (stagedName(object) === rest ||
        (object.name === rest && (namespace === undefined || object.namespace === namespace))),
  );
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const details = { operation: 'find', target: `staged policy ${word}` };
  if (found.length > 1) {
    const expected = found.map((object) => `${object.type.toLowerCase()}/${stagedName(object)}`).join(', ');
    throw new DataplaneError('USAGE', 'could be several', { ...details, expected: `one of ${expected}` });
  }
  const nearest = nearestName(rest, new Set(all.flatMap((object) => [object.name, stagedName(object)])));
  throw new DataplaneError('NOT_FOUND', 'no such staged policy', {
    ...details,
    hint: nearest === undefined ? 'tortie staged list shows what there is' : `did you mean ${nearest}?`,
  });
}
