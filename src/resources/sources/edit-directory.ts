// Changes to a directory of manifests, one document at a time, without touching what else a file holds. Files are
// replaced by rename, so that a reader sees the old file or the new one.
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isMap, parseAllDocuments } from 'yaml';
import { DataplaneError } from '../../base/errors.ts';
import { parseDocuments } from '../document.ts';
import type { Resource } from '../resource.ts';

export type EditResult = 'created' | 'configured' | 'unchanged';

/** Writes the document in place of the one that is in force, or to a file of its own. Throws FILE_UNREADABLE. */
export function putDocument(
  directory: string,
  resource: Resource,
  text: string,
  existing: Resource | undefined,
): EditResult {
  const content = `${text.trim()}\n`;
  if (existing === undefined) {
    const parts = [resource.type.toLowerCase(), resource.namespace, resource.name].filter((part) => part !== undefined);
    replaceFile(join(directory, `${parts.map(encodeURIComponent).join('.')}.yaml`), content);
    return 'created';
  }
  const path = join(directory, existing.location.file);
  const parts = splitFile(path);
  const index = findDocument(parts, existing, path);
  if ((parts[index] as string).trim() === content.trim()) return 'unchanged';
  replaceFile(path, joinDocuments(parts.with(index, content)));
  return 'configured';
}

/** Takes the document out of its file, and the file away with its last document. */
export function removeDocument(directory: string, existing: Resource): void {
  const path = join(directory, existing.location.file);
  const parts = splitFile(path);
  const rest = parts.toSpliced(findDocument(parts, existing, path), 1);
  if (rest.every((part) => part.trim() === '')) unlinkSync(path);
  else replaceFile(path, joinDocuments(rest));
}

/** Text of each document of a stream, comments included; members of a List are documents of their own. */
export function splitStream(text: string): string[] {
  return parseAllDocuments(text).flatMap((document) => {
    const { contents } = document;
    if (contents === null) return [];
    const isList = isMap(contents) && String(contents.get('kind') ?? '').endsWith('List') && contents.has('items');
    if (!isList) return [document.toString({ directives: false, lineWidth: 0 })];
    const items = (document.toJS() as { items: unknown[] }).items;
    return items.map((item) => JSON.stringify(item, null, 2));
  });
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

function replaceFile(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.new`);
  const file = openSync(temporary, 'w', 0o600);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}
