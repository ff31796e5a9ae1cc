import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { tidyHeap } from '../../../src/agent/tidy-heap.ts';

describe('tidyHeap', () => {
  it('collects what nobody holds, and nothing else', async () => {
    const held = { name: 'held' };
    const references = [new WeakRef(held), ...lost()];
    await turn();
    tidyHeap();
    expect(references.map((reference) => reference.deref()?.name)).toEqual(['held', undefined, undefined]);
    expect(held.name).toBe('held');
  });
});

function lost(): WeakRef<{ readonly name: string }>[] {
  return ['a', 'b'].map((name) => new WeakRef({ name }));
}
