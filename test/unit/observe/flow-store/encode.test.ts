import { expect, it } from 'vitest';
import { LogEncoder } from '../../../../src/observe/flow-store/encode.ts';
import { flowEnd, flowLog } from '../../../support/flow-logs.ts';

const log = (text: string) => flowLog({ source: flowEnd({ labels: { text } }), destination: flowEnd() });

it('writes what many flows share once, and goes on with its numbers', () => {
  const encoder = new LogEncoder({ ends: 5, traits: 9 });
  const first = encoder.encode([log('a'), log('b'), log('a')], 1);
  const [sequence, source, destination, trait] = first.flows;
  expect([sequence, source, destination, trait]).toEqual([
    [1n, 2n, 3n],
    [5, 6, 5],
    [7, 7, 7],
    [9, 9, 9],
  ]);
  expect([first.ends[0], first.traits[0]]).toEqual([[5, 6, 7], [9]]);
  const second = encoder.encode([log('c'), log('b')], 4);
  expect([second.flows[1], second.ends[0], second.traits[0]]).toEqual([[8, 6], [8], []]);
});

it('tells a value that is missing from one that is empty, and keeps what cannot be stored apart from nothing', () => {
  const encoder = new LogEncoder();
  const { flows } = encoder.encode([flowLog(), flowLog({ reason: '' }), flowLog({ state: '' })], 1);
  expect(new Set(flows[3]).size).toBe(3);
  const { traits } = new LogEncoder().encode([flowLog({ reason: 'a\0b\ud800' })], 1);
  expect(traits.flat()).toContain('a\ufffdb\ufffd');
});

it('remembers so much and no more, however many names there are', () => {
  const encoder = new LogEncoder();
  const long = (round: number) => log(`${round}-${'x'.repeat(1_000_000)}`);
  for (let round = 0; round < 20; round += 1) encoder.encode([long(round)], 1);
  expect(encoder.encode([long(0)], 1).ends[0]).toHaveLength(1);
  expect(encoder.encode([long(0)], 1).ends[0]).toHaveLength(0);
});
