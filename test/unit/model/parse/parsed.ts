// Manifests -> model objects, for tests that look at single objects.
import { expect } from 'vitest';
import { parseResource } from '../../../../src/model/parse/parse-resource.ts';
import type { ParseResult } from '../../../../src/model/parse/result.ts';
import type { ModelObject, ModelType } from '../../../../src/model/world.ts';
import { parseDocuments } from '../../../../src/resources/document.ts';

/** What the one document parses to. The document itself must be valid. */
export function parseOne(text: string): ParseResult {
  const { resources, errors } = parseDocuments(text, 'f.yaml');
  expect(errors).toEqual([]);
  expect(resources).toHaveLength(1);
  return resources.map(parseResource)[0] as ParseResult;
}

/** The one object of that type that the document stands for. */
export function objectOf<T extends ModelType>(type: T, text: string): Extract<ModelObject, { type: T }> {
  const { objects, errors } = parseOne(text);
  expect(errors).toEqual([]);
  expect(objects).toMatchObject([{ type }]);
  return objects[0] as Extract<ModelObject, { type: T }>;
}
