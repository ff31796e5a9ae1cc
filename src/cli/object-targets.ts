// Which objects a command line names: `gnp a b`, `gnp,np`, `gnp/a np/b`, `all`; and in which namespace.
import { DataplaneError } from '../base/errors.ts';
import type { ResourceType } from '../resources/resource.ts';
import { collectionOf, RESOURCE_TYPES, requireResourceType } from './kind-names.ts';

/** One kind of object, or some of them by name. */
export interface ObjectTarget {
  readonly type: ResourceType;
  /** undefined = all. */
  readonly names?: readonly string[];
}

export interface NamespaceFlags {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
}

export const DEFAULT_NAMESPACE = 'default';

/** What the words of a command line name; none = every kind. Throws USAGE and UNKNOWN_KIND. */
export function parseTargets(words: readonly string[]): readonly ObjectTarget[] {
  const [first, ...names] = words;
  if (first === undefined || first === 'all') {
    if (names.length > 0) throw unclear(words, 'no names after all kinds');
    return RESOURCE_TYPES.map((type) => ({ type }));
  }
  if (words.some((word) => word.includes('/'))) return words.map(parsePair);
  const types = [...new Set(first.split(',').map(requireResourceType))];
  return types.map((type) => (names.length === 0 ? { type } : { type, names }));
}

/** The namespace that is meant; undefined = every one. Throws USAGE when a name is looked for in all of them. */
export function namespaceOf({ namespace, allNamespaces }: NamespaceFlags, isNamed: boolean): string | undefined {
  if (allNamespaces !== true) return namespace ?? DEFAULT_NAMESPACE;
  if (!isNamed) return undefined;
  throw new DataplaneError('USAGE', 'names are looked for in one namespace', {
    operation: 'find',
    target: 'objects by name',
    found: '--all-namespaces',
    expected: '--namespace NAME',
  });
}

/** The namespace for objects of the type: undefined for kinds that have none. */
export function placeOf(type: ResourceType, namespace: string | undefined): { readonly namespace?: string } {
  return namespace === undefined || !collectionOf(type).isNamespaced ? {} : { namespace };
}

function parsePair(word: string): ObjectTarget {
  const [kind = '', name = '', ...rest] = word.split('/');
  if (kind === '' || name === '' || rest.length > 0) throw unclear([word], 'KIND/NAME');
  return { type: requireResourceType(kind), names: [name] };
}

function unclear(words: readonly string[], expected: string): DataplaneError {
  return new DataplaneError('USAGE', 'is not understood', { operation: 'read', target: words.join(' '), expected });
}
