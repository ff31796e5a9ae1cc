import { describe, expect, it } from 'vitest';
import { Inventory } from '../../../src/analysis/inventory.ts';
import { Membership } from '../../../src/model/reference/membership.ts';
import { newSeed, questionOf, worldOf } from '../../support/worlds/questions.ts';

describe('inventory', () => {
  it('selects whom the reference evaluator selects, for every selector of generated worlds', {
    timeout: 120_000,
  }, () => {
    const seed = newSeed('inventory');
    let selected = 0;
    for (let index = 0; index < 60; index += 1) {
      const world = worldOf(questionOf(seed, index, 0).manifests);
      const inventory = new Inventory(world);
      const membership = new Membership(world);
      const objects = [...inventory.members.values()].map(({ object }) => object);
      const rules = [...world.policies.values()].flatMap(({ rules: own }) => [...own.ingress, ...own.egress]);
      const selectors = [
        ...[...world.policies.values()].map(({ selector }) => selector),
        ...rules.flatMap(({ source, destination }) => [source.selector, destination.selector, source.notSelector]),
      ];
      for (const selector of selectors) {
        if (selector === undefined) continue;
        const found = inventory.selected(selector).map(({ key }) => key);
        const expected = objects.filter((object) => membership.isHolderSelected(object, selector));
        expect([...found].sort()).toEqual(expected.map(({ type, key }) => `${type}:${key}`).sort());
        selected += found.length;
      }
    }
    expect(selected).toBeGreaterThan(100);
  });

  it('knows labels with those that profiles lend', () => {
    const world = worldOf([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ns', labels: { team: 'a' } } },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p', namespace: 'ns', labels: { app: 'x' } },
        spec: { nodeName: 'n' },
      },
    ]);
    const vocabulary = new Inventory(world).vocabulary();
    expect(vocabulary.get('app')).toEqual(new Map([['x', 1]]));
    expect(vocabulary.get('pcns.team')).toEqual(new Map([['a', 1]]));
  });
});
