import { describe, expect, it } from 'vitest';
import { lintManifests } from '../../../../src/analysis/lint/lint.ts';
import { parseDocuments } from '../../../../src/resources/document.ts';
import { HOST_CASES } from './host-endpoint-cases.ts';
import { linesOf } from './linted.ts';

describe('lint of host endpoints', () => {
  it.each(HOST_CASES)('$name', ({ documents, machine, expected }) => {
    const { resources, errors } = parseDocuments(documents.join('\n---\n'), 'f.yaml');
    expect(errors).toEqual([]);
    expect(linesOf(lintManifests(resources, errors, machine)).sort()).toEqual([...expected].sort());
  });
});
