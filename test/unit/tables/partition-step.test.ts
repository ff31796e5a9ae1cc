import { describe, expect, it } from 'vitest';
import { NumberClasses } from '../../../src/tables/number-classes.ts';
import { PartitionStep } from '../../../src/tables/partition-step.ts';

const LOW = [0, 9];
const HIGH = [90, 99];

describe('a step between partitions', () => {
  it('carries values of classes to the classes that came out of them', () => {
    const numbers = new NumberClasses(100);
    const before = numbers.update([LOW, HIGH]);
    const values = new Uint32Array(before.idLimit);
    for (const [id, example] of before.examples) values[id] = 1000 + (example < 10 ? 1 : example >= 90 ? 2 : 3);
    const after = numbers.update([LOW, HIGH, [5, 6], [40, 95]]);
    const carried = new PartitionStep(before, after).carry(values);
    for (let number = 0; number < 100; number += 1) {
      expect(carried[after.classes[number] as number]).toBe(values[before.classes[number] as number]);
    }
  });

  it('says when nothing changed', () => {
    const numbers = new NumberClasses(100);
    const before = numbers.update([LOW]);
    expect(new PartitionStep(before, numbers.update([LOW])).isSame).toBe(true);
    expect(new PartitionStep(before, numbers.update([LOW, HIGH])).isSame).toBe(false);
  });
});
