import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildWorld, ModelStore } from '../../../src/model/build-world.ts';
import type { World } from '../../../src/model/world.ts';
import { parseDocuments } from '../../../src/resources/document.ts';
import type { Resource } from '../../../src/resources/resource.ts';

function resourcesOf(...documents: readonly string[]): readonly Resource[] {
  const { resources, errors } = parseDocuments(documents.join('\n---\n'), 'f.yaml');
  expect(errors).toEqual([]);
  return resources;
}

const pod = (name: string, ips: string, extra = ''): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: web${extra}}\nspec: {nodeName: n}\nstatus: {podIPs: [${ips}]}`;
const ip = (last: number): string => `{ip: 10.0.0.${last}}`;
const workload = (name: string, ips: string): string =>
  `apiVersion: projectcalico.org/v3\nkind: WorkloadEndpoint\nmetadata: {name: n-k8s-${name}-eth0, namespace: web}\nspec: {orchestrator: k8s, node: n, pod: ${name}, ipNetworks: [${ips}], interfaceName: written}`;
const policy = (name: string, selector: string): string =>
  `apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: web}\nspec: {selector: "${selector}"}`;

const displayNames = (world: World): string[] =>
  [...world.workloadEndpoints.values()].map(({ displayName }) => displayName);

describe('buildWorld', () => {
  it('has the built-in tiers and profile without any resource', () => {
    const { world, errors } = buildWorld([]);
    expect(errors).toEqual([]);
    expect([...world.tiers.values()].map(({ name, order, defaultAction }) => [name, order, defaultAction])).toEqual([
      ['kube-admin', 1000, 'pass'],
      ['default', 1_000_000, 'deny'],
      ['kube-baseline', 10_000_000, 'pass'],
    ]);
    expect(world.profiles.get('projectcalico-default-allow')?.rules).toMatchObject({
      ingress: [{ action: 'allow' }],
      egress: [{ action: 'allow' }],
    });
  });

  it('leaves out what has an error and names it', () => {
    const { world, errors } = buildWorld(resourcesOf(policy('a', 'a ='), policy('b', 'has(a)')));
    expect([...world.policies.keys()]).toEqual(['NetworkPolicy/web/b']);
    expect(errors).toMatchObject([{ code: 'INVALID_SELECTOR', target: 'networkpolicy web/a' }]);
  });

  it('gives a contested address to the endpoint written first and names both', () => {
    const { world, errors } = buildWorld(resourcesOf(pod('b', ip(1)), pod('a', ip(1))));
    expect(displayNames(world)).toEqual(['web/b']);
    expect(errors.map(({ code, message }) => [code, message])).toEqual([
      [
        'ADDRESS_CONFLICT',
        'f.yaml:7: parse workloadendpoint web/a: address belongs to another endpoint: found 10.0.0.1 (web/b has it, f.yaml:1)',
      ],
    ]);
  });

  it('does not hold a refused endpoint against others', () => {
    const { world } = buildWorld(resourcesOf(pod('a', ip(1)), pod('b', `${ip(1)}, ${ip(2)}`), pod('c', ip(2))));
    expect(displayNames(world).sort()).toEqual(['web/a', 'web/c']);
  });

  it('prefers a written workload endpoint to the one that a pod implies', () => {
    const { world, errors } = buildWorld(resourcesOf(pod('a', ip(1)), workload('a', '10.0.0.9')));
    expect(errors).toEqual([]);
    expect([...world.workloadEndpoints.values()]).toMatchObject([{ interfaceName: 'written' }]);
  });

  it('prefers a written profile to the one that a namespace implies', () => {
    const { world } = buildWorld(
      resourcesOf(
        'apiVersion: projectcalico.org/v3\nkind: Profile\nmetadata: {name: kns.web}\nspec: {labelsToApply: {x: y}}',
        'apiVersion: v1\nkind: Namespace\nmetadata: {name: web}',
      ),
    );
    expect(world.profiles.get('kns.web')?.labels).toEqual({ x: 'y' });
  });
});

describe('ModelStore', () => {
  it('reports what changed and what went', () => {
    const store = new ModelStore();
    const [a, b] = resourcesOf(policy('a', 'has(a)'), policy('b', 'has(b)')) as [Resource, Resource];
    expect(store.apply([a, b])).toMatchObject({ changed: [{ name: 'a' }, { name: 'b' }], removed: [], errors: [] });
    expect(store.apply([], [a.id])).toEqual({ changed: [], removed: [{ type: 'policy', key: a.id }], errors: [] });
    expect(store.apply([], [a.id])).toEqual({ changed: [], removed: [], errors: [] });
  });

  it('keeps an object that was written again as it was', () => {
    const store = new ModelStore();
    store.apply(resourcesOf(policy('a', 'has(a)')));
    const before = store.world.policies.get('NetworkPolicy/web/a');
    expect(store.apply(resourcesOf(policy('a', 'has(a)')))).toMatchObject({ changed: [], removed: [] });
    expect(store.world.policies.get('NetworkPolicy/web/a')).toBe(before);
  });

  it('takes an object for another one when it is written elsewhere or its rules are', () => {
    const store = new ModelStore();
    const rules = `${policy('a', 'has(a)').slice(0, -1)}, ingress: [{action: Deny},{action: Allow}]}`;
    store.apply(resourcesOf(rules));
    const moved = rules.replace('},{', '},\n  {');
    expect(store.apply(resourcesOf(moved))).toMatchObject({ changed: [{ name: 'a' }] });
    expect(store.apply(resourcesOf(`# moved\n${moved}`))).toMatchObject({ changed: [{ name: 'a' }] });
    expect(store.apply(resourcesOf(`# moved\n${moved}`))).toMatchObject({ changed: [] });
  });

  it('admits a refused endpoint when the owner of its address goes', () => {
    const store = new ModelStore();
    const [a, b] = resourcesOf(pod('a', ip(1)), pod('b', ip(1))) as [Resource, Resource];
    expect(store.apply([a, b]).errors).toMatchObject([{ code: 'ADDRESS_CONFLICT' }]);
    expect(store.apply([], [a.id])).toMatchObject({
      changed: [{ displayName: 'web/b' }],
      removed: [{ type: 'workloadEndpoint', key: 'web/n-k8s-a-eth0' }],
      errors: [],
    });
    expect(store.errors).toEqual([]);
  });

  it('reports a conflict once', () => {
    const store = new ModelStore();
    store.apply(resourcesOf(pod('a', ip(1)), pod('b', ip(1))));
    const [again] = resourcesOf(pod('a', ip(1), ', labels: {x: y}')) as [Resource];
    expect(store.apply([again]).errors).toEqual([]);
    expect(store.errors).toHaveLength(1);
  });

  it('falls back to the implied endpoint and the built-in tier', () => {
    const store = new ModelStore();
    const tier = 'apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: default}';
    const resources = resourcesOf(pod('a', ip(1)), workload('a', '10.0.0.9'), tier);
    store.apply(resources);
    expect(store.world.tiers.get('default')?.location.file).toBe('f.yaml');
    store.apply(
      [],
      resources.slice(1).map(({ id }) => id),
    );
    expect([...store.world.workloadEndpoints.values()]).toMatchObject([{ addresses: [{ words: [0x0a000001] }] }]);
    expect(store.world.tiers.get('default')?.location.file).toBe('');
  });

  const variants = resourcesOf(
    ...[1, 2, 3].flatMap((last) => ['a', 'b', 'c', 'd'].map((name) => pod(name, `${ip(last)}, ${ip(last + 1)}`))),
    ...['a', 'b', 'c'].map((name) => pod(name, ip(4), ', labels: {x: y}')),
    pod('d', ''),
    workload('a', '10.0.0.1'),
    workload('b', '10.0.0.2, 10.0.0.4'),
    policy('p', 'has(a)'),
    policy('p', 'a ='),
    'apiVersion: v1\nkind: Namespace\nmetadata: {name: web}',
    'apiVersion: projectcalico.org/v3\nkind: Profile\nmetadata: {name: kns.web}',
    'apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: default}',
    'apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: default}\nspec: {order: 1}',
  );
  const anyStep = fc.record({
    put: fc.uniqueArray(fc.constantFrom(...variants), { maxLength: 4, selector: ({ id }) => id }),
    remove: fc.array(fc.constantFrom(...new Set(variants.map(({ id }) => id))), { maxLength: 2 }),
  });

  it('reaches the same world whatever the order and the number of steps', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 12 }), (steps) => {
        const store = new ModelStore();
        const standing = new Map<string, Resource>();
        const seen = new Map<string, unknown>();
        for (const object of [...store.world.tiers.values(), ...store.world.profiles.values()])
          seen.set(`${object.type} ${object.key}`, object);
        for (const { put, remove } of steps) {
          for (const id of remove) standing.delete(id);
          for (const resource of put) standing.set(resource.id, resource);
          const { changed, removed } = store.apply(put, remove);
          for (const { type, key } of removed) expect(seen.delete(`${type} ${key}`)).toBe(true);
          for (const object of changed) seen.set(`${object.type} ${object.key}`, object);
        }
        const scratch = buildWorld([...standing.values()].reverse());
        expect(store.world).toEqual(scratch.world);
        expect(messages(store.errors)).toEqual(messages(scratch.errors));
        const objects = Object.values(store.world).flatMap((map) => [
          ...(map as ReadonlyMap<string, { type: string; key: string }>).values(),
        ]);
        expect(new Map(objects.map((object) => [`${object.type} ${object.key}`, object]))).toEqual(seen);
      }),
      { numRuns: 300 },
    );
  });
});

function messages(errors: readonly { message: string }[]): string[] {
  return errors.map(({ message }) => message).sort();
}
