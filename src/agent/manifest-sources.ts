// Where manifests to compare come from: a directory, a git revision, or resources at hand; and what becomes of staged
// policies that are put in force. Equal files of several sources are parsed once.
import { statSync } from 'node:fs';
import { DataplaneError } from '../base/errors.ts';
import { type ParsedDocuments, parseDocuments } from '../resources/document.ts';
import { type Resource, type ResourceType, resourceId } from '../resources/resource.ts';
import { listManifests, readManifest } from '../resources/sources/manifest-files.ts';
import { mergeFiles, type ResourceSnapshot } from '../resources/sources/snapshot.ts';
import { copyResource } from '../resources/text-resource.ts';
import { readGitTree } from './git-tree.ts';

export type ManifestSource =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'revision'; readonly revision: string; readonly path: string }
  /** What the running agent enforces. */
  | { readonly kind: 'live' };

/** `live`, a directory, or REV:PATH; a directory that is there is meant before a revision. Throws USAGE. */
export function parseManifestSource(text: string): ManifestSource {
  if (text === 'live') return { kind: 'live' };
  const colon = text.indexOf(':');
  if (colon === -1 || isDirectory(text)) return { kind: 'directory', path: text };
  const revision = text.slice(0, colon);
  if (revision !== '' && !revision.startsWith('-')) return { kind: 'revision', revision, path: text.slice(colon + 1) };
  throw new DataplaneError('USAGE', 'is not a source of manifests', {
    operation: 'read',
    target: text,
    expected: 'a directory, REV:PATH of a git repository, or live',
  });
}

type FileContent = Pick<ParsedDocuments, 'resources' | 'errors'>;

export class ManifestReader {
  /** By path: a text and what it says. */
  readonly #parsed = new Map<string, { readonly text: string; readonly content: FileContent }[]>();

  /** Throws FILE_UNREADABLE when there is no such directory, and what readGitTree throws. */
  read(source: Exclude<ManifestSource, { kind: 'live' }>): ResourceSnapshot {
    if (source.kind === 'directory') return this.#readDirectory(source.path);
    const { files, errors } = readGitTree(source.revision, source.path);
    return mergeFiles(
      files.map(({ path, text }) => this.#parse(path, text)),
      errors,
    );
  }

  #readDirectory(directory: string): ResourceSnapshot {
    if (!isDirectory(directory)) {
      throw new DataplaneError('FILE_UNREADABLE', 'is not a directory', { operation: 'read', target: directory });
    }
    const { files, errors } = listManifests(directory);
    const contents = files.map((file): FileContent => {
      try {
        return this.#parse(file.path, readManifest(directory, file));
      } catch (error) {
        if (!(error instanceof DataplaneError)) throw error;
        return { resources: [], errors: [error] };
      }
    });
    return mergeFiles(contents, errors);
  }

  #parse(path: string, text: string): FileContent {
    const known = this.#parsed.get(path) ?? [];
    const same = known.find((one) => one.text === text);
    if (same !== undefined) return same.content;
    // Documents that both texts have stay the same objects, which nobody compares further.
    const [first] = known;
    const before = first?.content.errors.length === 0 ? { ...first.content, text: first.text } : undefined;
    const content = parseDocuments(text, path, before);
    this.#parsed.set(path, [...known, { text, content }]);
    return content;
  }
}

const ENFORCED: Partial<Record<ResourceType, Pick<Resource, 'type' | 'apiVersion' | 'kind'>>> = {
  StagedNetworkPolicy: { type: 'NetworkPolicy', apiVersion: 'projectcalico.org/v3', kind: 'NetworkPolicy' },
  StagedGlobalNetworkPolicy: {
    type: 'GlobalNetworkPolicy',
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
  },
  StagedKubernetesNetworkPolicy: {
    type: 'KubernetesNetworkPolicy',
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
  },
};

/**
 * The snapshot after every staged policy has been put in force: with stagedAction Set, Learn or Ignore it takes the
 * place of the enforced policy of its name, or becomes one; with Delete that policy goes. No staged policy is left.
 */
export function promoteStaged({ objects, errors }: ResourceSnapshot): ResourceSnapshot {
  const promoted = new Map(objects);
  for (const [id, resource] of objects) {
    const enforced = ENFORCED[resource.type];
    if (enforced === undefined) continue;
    promoted.delete(id);
    const { stagedAction, ...spec } = resource.spec as { readonly stagedAction?: string };
    const enforcedId = resourceId(enforced.type, resource.namespace, resource.name);
    if (stagedAction === 'Delete') promoted.delete(enforcedId);
    else promoted.set(enforcedId, copyResource(resource, { ...enforced, id: enforcedId, spec } as Partial<Resource>));
  }
  return { objects: promoted, errors };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
