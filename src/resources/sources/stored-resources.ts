// The resources of a file that was accepted whole, as text for a store, and back: a file that has not changed need not
// be parsed and checked again. What the store holds is believed as it is; its keeper answers for it.
import { createResource } from '../object-parser.ts';
import { originOf } from '../origin.ts';
import type { Resource } from '../resource.ts';
import { SourceText } from '../source-text.ts';
import type { Content, ResourceHead } from '../text-resource.ts';

/** One document of the file and its objects. */
interface StoredDocument {
  readonly start: number;
  readonly length: number;
  readonly firstLine: number;
  readonly index: number;
  readonly objects: readonly (Omit<ResourceHead, 'location'> &
    Content & {
      readonly line: number;
      readonly path: readonly (string | number)[];
    })[];
}

/** undefined when something of them would not come back as it was. */
export function encodeResources(text: string, resources: readonly Resource[]): string | undefined {
  const documents: (StoredDocument & { objects: StoredDocument['objects'][number][] })[] = [];
  let current: SourceText | undefined;
  for (const resource of resources) {
    const origin = originOf(resource);
    if (origin === undefined || !isPlainData(resource.spec)) return undefined;
    const { source, path } = origin;
    const { start, firstLine, index } = source.place;
    if (text.slice(start, start + source.text.length) !== source.text) return undefined;
    if (source !== current) documents.push({ start, length: source.text.length, firstLine, index, objects: [] });
    current = source;
    const { type, apiVersion, kind, namespace, name, metadata, spec, location } = resource;
    const head = { type, apiVersion, kind, namespace, name, metadata, spec, line: location.line, path };
    documents.at(-1)?.objects.push(head as StoredDocument['objects'][number]);
  }
  return JSON.stringify(documents);
}

/** The mirror of encodeResources, for the same text at a path. */
export function decodeResources(stored: string, text: string, file: string): readonly Resource[] {
  const documents = JSON.parse(stored) as readonly StoredDocument[];
  return documents.flatMap(({ start, length, firstLine, index, objects }) => {
    const source = new SourceText(text.slice(start, start + length), { start, firstLine, index });
    return objects.map(({ type, apiVersion, kind, namespace, name, metadata, spec, line, path }) => {
      const head = { type, apiVersion, kind, namespace, name, location: { file, line } } as ResourceHead;
      return createResource(head, { metadata, spec }, { source, path });
    });
  });
}

/** What JSON keeps: no number that it cannot write, and no object but plain ones. */
function isPlainData(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every((item) => item !== undefined && isPlainData(item));
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isPlainData);
}
