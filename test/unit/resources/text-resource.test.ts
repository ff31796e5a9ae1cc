import { describe, expect, it } from 'vitest';
import { parseDocuments } from '../../../src/resources/document.ts';
import type { Resource } from '../../../src/resources/resource.ts';
import { decodeResources, encodeResources } from '../../../src/resources/sources/stored-resources.ts';
import { copyResource, countValuesOf, releaseContents } from '../../../src/resources/text-resource.ts';

const POLICY = `# a comment
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {namespace: shop, name: front, labels: {team: web}}
spec:
  podSelector: {matchLabels: {app: front}}
  policyTypes: null
  ingress:
    - ports: [{port: 80}]
`;
const ANCHORED = `apiVersion: projectcalico.org/v3
kind: GlobalNetworkSet
metadata: {name: nets}
spec: {nets: &all [192.0.2.0/24]}
`;
const LIST = `{"apiVersion": "v1", "kind": "NamespaceList", "items": [
  {"metadata": {"name": "a", "labels": {"x": "1"}}}, {"metadata": {"name": "b"}}]}`;
const TEXTS: readonly (readonly [string, string])[] = [
  ['one document', POLICY],
  ['a document behind another', `${ANCHORED}---\n${POLICY}`],
  ['a document that only the full parser reads', ANCHORED],
  ['several documents that are parsed as one stream', `%YAML 1.2\n---\n${ANCHORED}---\n${POLICY}`],
  ['a list', LIST],
];

function parse(text: string): readonly Resource[] {
  const { resources, errors } = parseDocuments(text, 'a.yaml');
  expect(errors).toEqual([]);
  return resources;
}

const json = (resources: readonly Resource[]): string => JSON.stringify(resources);

describe('a resource that let go of what it says', () => {
  it.each(TEXTS)('says the same when it is asked again: %s', (_, text) => {
    const released = parse(text);
    releaseContents(released);
    expect(json(released)).toBe(json(parse(text)));
    expect(released.map(countValuesOf)).toEqual(parse(text).map(countValuesOf));
    expect(released.map((one) => one.lineOf(['spec']))).toEqual(parse(text).map((one) => one.lineOf(['spec'])));
  });

  it.each(TEXTS)('is stored and comes back the same: %s', (_, text) => {
    const released = parse(text);
    releaseContents(released);
    const stored = encodeResources(text, released);
    expect(stored).toBe(encodeResources(text, parse(text)));
    const decoded = decodeResources(stored ?? '', text, 'a.yaml');
    expect(json(decoded)).toBe(json(released));
    releaseContents(decoded);
    expect(json(decoded)).toBe(json(released));
  });

  it('is frozen, and its copies have what it says', () => {
    const [policy] = parse(POLICY) as [Resource];
    releaseContents([policy]);
    expect(Object.isFrozen(policy)).toBe(true);
    const copy = copyResource(policy, { name: 'other' });
    expect(copy).toMatchObject({ name: 'other', namespace: 'shop', spec: policy.spec, metadata: policy.metadata });
    expect(copy.lineOf(['spec', 'ingress'])).toBe(8);
  });

  it('keeps it in a file of many objects, which is stored anew as a whole', () => {
    const long = parse(Array.from({ length: 65 }, (_, index) => ANCHORED.replace('nets}', `n${index}}`)).join('---\n'));
    const before = long[0]?.spec;
    releaseContents(long);
    expect(long[0]?.spec).toBe(before);
  });

  it('keeps it in a file of few objects that say much', () => {
    const nets = Array.from({ length: 5000 }, (_, index) => `192.0.${index >>> 8}.${index & 255}/32`);
    const long = parse(`${ANCHORED.replace('&all [192.0.2.0/24]', `[${nets.join(', ')}]`)}---\n${POLICY}`);
    const before = long[1]?.spec;
    releaseContents(long);
    expect(long[1]?.spec).toBe(before);
  });
});
