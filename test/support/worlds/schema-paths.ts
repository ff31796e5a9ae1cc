// Which fields there are: of every kind's schema, and of manifests. Tells whether generators leave some field out.
import type { z } from 'zod';
import { findKind, knownKinds } from '../../../src/resources/kinds.ts';
import type { Manifest } from './manifests.ts';

/** Lists end in `[]`. */
type FieldPaths = ReadonlySet<string>;

interface SchemaNode {
  readonly def: {
    readonly type: string;
    readonly innerType?: z.ZodType;
    readonly element?: z.ZodType;
    readonly options?: readonly z.ZodType[];
    readonly shape?: Readonly<Record<string, z.ZodType>>;
  };
}

/** `<kind> <path>` of each field that the schemas of all kinds know: `NetworkPolicy spec.ingress[].source.nets`. */
export function fieldsOfSchemas(): FieldPaths {
  const paths = new Set<string>();
  for (const name of knownKinds()) {
    const [apiVersion, kind] = name.split(' ') as [string, string];
    const definition = findKind(apiVersion, kind);
    if (definition !== undefined) addFields(definition.schema, `${definition.type} `, '', paths);
  }
  return paths;
}

/** The same of the fields that the manifest has. */
export function fieldsOfManifest(manifest: Manifest): FieldPaths {
  const paths = new Set<string>();
  const definition = findKind(String(manifest.apiVersion), String(manifest.kind));
  if (definition !== undefined) addValues(manifest, `${definition.type} `, '', paths);
  return paths;
}

function addFields(schema: z.ZodType, kind: string, path: string, paths: Set<string>): void {
  const { def } = schema as unknown as SchemaNode;
  if (def.innerType !== undefined) addFields(def.innerType, kind, path, paths);
  else if (def.element !== undefined) addFields(def.element, kind, `${path}[]`, paths);
  for (const option of def.options ?? []) addFields(option, kind, path, paths);
  for (const [name, field] of Object.entries(def.shape ?? {})) {
    const at = path === '' ? name : `${path}.${name}`;
    paths.add(kind + at);
    addFields(field, kind, at, paths);
  }
}

function addValues(value: unknown, kind: string, path: string, paths: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) addValues(item, kind, `${path}[]`, paths);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, field] of Object.entries(value)) {
      const at = path === '' ? name : `${path}.${name}`;
      paths.add(kind + at);
      addValues(field, kind, at, paths);
    }
  }
}

/** Every value in the manifest, with the name of the field that it, or the list it is in, belongs to. */
export function* valuesOf(value: unknown, key = ''): Generator<{ readonly key: string; readonly value: unknown }> {
  yield { key, value };
  if (Array.isArray(value)) for (const item of value) yield* valuesOf(item, key);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, field] of Object.entries(value)) yield* valuesOf(field, name);
  }
}
