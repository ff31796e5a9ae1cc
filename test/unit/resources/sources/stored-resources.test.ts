import { describe, expect, it } from 'vitest';
import { parseDocuments } from '../../../../src/resources/document.ts';
import { decodeResources, encodeResources } from '../../../../src/resources/sources/stored-resources.ts';
import { copyResource } from '../../../../src/resources/text-resource.ts';

const tier = (name: string, order: string): string =>
  `apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: ${name}}\nspec: {order: ${order}}\n`;

describe('stored resources', () => {
  it('come back with the lines of their fields', () => {
    const text = `# one\n${tier('a', '1')}---\n\n# two\n${tier('b', '2.5')}`;
    const { resources } = parseDocuments(text, 'a.yaml');
    const decoded = decodeResources(encodeResources(text, resources) ?? '', text, 'b.yaml');
    expect(decoded.map((one) => [one.id, one.location, one.lineOf(['spec', 'order'])])).toEqual([
      ['Tier//a', { file: 'b.yaml', line: 2 }, 5],
      ['Tier//b', { file: 'b.yaml', line: 9 }, 12],
    ]);
  });

  it('are not stored with a text that they were not read from', () => {
    const { resources } = parseDocuments(tier('a', '1'), 'a.yaml');
    expect(encodeResources(tier('b', '1'), resources)).toBeUndefined();
  });

  it('are not stored when a number would come back as another', () => {
    const text = tier('a', '-0.0');
    const { resources } = parseDocuments(text, 'a.yaml');
    expect(resources).toHaveLength(1);
    expect(encodeResources(text, resources)).toBeUndefined();
  });

  it('are not stored when they were read from no text', () => {
    const text = tier('a', '1');
    const { resources } = parseDocuments(text, 'a.yaml');
    const copies = resources.map((resource) => copyResource(resource, {}));
    expect(encodeResources(text, copies)).toBeUndefined();
  });
});
