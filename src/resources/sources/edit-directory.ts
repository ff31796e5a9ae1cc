// Changes to a directory of manifests, one document at a time, without touching what else a file holds. Files are
// replaced in replace-file.ts, so that a reader sees the old file or the new one.
import { existsSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isScalar, parseAllDocuments } from 'yaml';
import { DataplaneError } from '../../base/errors.ts';
import { parseDocuments } from '../document.ts';
import type { Resource } from '../resource.ts';
import { findBoundsProblem } from '../yaml/bounds.ts';
import { replaceFile } from './replace-file.ts';

export type EditResult = 'created' | 'configured' | 'unchanged';

/**
 * Writes the document in place of the one that is in force, or to a file of its own. Throws FILE_UNREADABLE and
 * FILE_UNWRITABLE.
 */
export function putDocument(
  directory: string,
  resource: Resource,
  text: string,
  existing: Resource | undefined,
): EditResult {
  const content = `${text.trim()}\n`;
  if (existing === undefined) {
    const parts = [resource.type.toLowerCase(), resource.namespace, resource.name].filter((part) => part !== undefined);
    addDocument(join(directory, `${parts.map(encodeURIComponent).join('.')}.yaml`), resource, content);
    return 'created';
  }
  const path = join(directory, existing.location.file);
  const parts = splitFile(path);
  const index = findDocument(parts, existing, path);
  if ((parts[index] as string).trim() === content.trim()) return 'unchanged';
  replaceFile(path, joinDocuments(parts.with(index, content)));
  return 'configured';
}

/** A file of that name may be there: what it holds stays, except a version of the object that was refused. */
function addDocument(path: string, resource: Resource, content: string): void {
  const parts = existsSync(path) ? splitFile(path) : [];
  const index = parts.findIndex((part) => parseDocuments(part, path).refused.includes(resource.id));
  replaceFile(path, joinDocuments(index === -1 ? [...parts, content] : parts.with(index, content)));
}

/** Takes the document out of its file, and the file away with its last document. Throws as putDocument does. */
export function removeDocument(directory: string, existing: Resource): void {
  const path = join(directory, existing.location.file);
  const parts = splitFile(path);
  const rest = parts.toSpliced(findDocument(parts, existing, path), 1);
  if (rest.every((part) => part.trim() === '')) unlinkSync(path);
  else replaceFile(path, joinDocuments(rest));
}

/**
 * Text of each document of a stream, comments included; members of a List are documents of their own. What is not
 * well-formed comes back as it is, for parseDocuments to refuse.
 */
export function splitStream(text: string): string[] {
  if (findBoundsProblem(text) !== undefined) return [text];
  const documents = parseAllDocuments(text, { uniqueKeys: false });
  if (documents.some(({ errors }) => errors.length > 0)) return [text];
  try {
    return documents.flatMap((document) => {
      const { contents } = document;
      if (contents === null || (isScalar(contents) && contents.value === null)) return [];
      const isList = isMap(contents) && String(contents.get('kind') ?? '').endsWith('List') && contents.has('items');
      if (!isList) return [document.toString({ directives: false, lineWidth: 0 })];
      const items = (document.toJS() as { items: unknown[] }).items;
      return items.map((item) => JSON.stringify(item, null, 2));
    });
  } catch {
    return [text];
  }
}

function splitFile(path: string): string[] {
  try {
    const text = readFileSync(path, 'utf8');
    return text.trimStart().startsWith('{') ? [text] : text.split(/^---[ \t]*(?:#.*)?$/m);
  } catch (cause) {
    throw new DataplaneError('FILE_UNREADABLE', 'cannot be read', { operation: 'edit', target: path, cause });
  }
}

function findDocument(parts: readonly string[], wanted: Resource, path: string): number {
  const index = parts.findIndex((part) => {
    const { resources } = parseDocuments(part, path);
    return resources.length === 1 && resources[0]?.id === wanted.id;
  });
  if (index >= 0) return index;
  throw new DataplaneError('NOT_FOUND', 'is not a document of its own', {
    operation: 'edit',
    target: wanted.id,
    found: path,
    hint: 'it is part of a List: edit the file by hand',
  });
}

function joinDocuments(parts: readonly string[]): string {
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join('\n---\n')
    .concat('\n');
}
