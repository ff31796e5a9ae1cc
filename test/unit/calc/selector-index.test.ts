import { describe, expect, it } from 'vitest';
import type { LabelledItem } from '../../../src/calc/resolved.ts';
import { type MatchListener, SelectorIndex } from '../../../src/calc/selector-index.ts';
import { parseSelector } from '../../../src/model/selector/parser.ts';

function item(key: string): LabelledItem {
  return { key, labels: {}, profiles: [], prefixes: [], ports: [] };
}

const web = new Map([['app', 'web']]);
const database = new Map([['app', 'db']]);
const isWeb = parseSelector('app == "web"');

/** Remembers what it was told, as `+key` and `-key`. */
class Recorder implements MatchListener {
  readonly told: string[] = [];

  onMatch({ key }: LabelledItem): void {
    this.told.push(`+${key}`);
  }

  onMismatch({ key }: LabelledItem): void {
    this.told.push(`-${key}`);
  }
}

describe('SelectorIndex', () => {
  it('tells of items that are there at registration and of those that come later', () => {
    const index = new SelectorIndex();
    index.setItem(item('a'), web);
    const recorder = new Recorder();
    index.register(isWeb, recorder);
    index.setItem(item('b'), web);
    index.setItem(item('c'), database);
    expect(recorder.told).toEqual(['+a', '+b']);
  });

  it('tells when labels change, and only when the match does', () => {
    const index = new SelectorIndex();
    const recorder = new Recorder();
    index.register(isWeb, recorder);
    const moving = item('a');
    for (const labels of [database, web, new Map([...web, ['x', 'y']]), database, undefined])
      index.setItem(moving, labels);
    expect(recorder.told).toEqual(['+a', '-a']);
  });

  it('stops and starts a match whose object is replaced', () => {
    const index = new SelectorIndex();
    const recorder = new Recorder();
    index.register(isWeb, recorder);
    index.setItem(item('a'), web);
    index.setItem(item('a'), web);
    expect(recorder.told).toEqual(['+a', '-a', '+a']);
  });

  it('tells a listener once that registers while another is told of the same item', () => {
    const index = new SelectorIndex();
    const late = new Recorder();
    const sameSelectorLate = new Recorder();
    index.register(isWeb, {
      onMatch: () => {
        index.register(parseSelector('has(app)'), late);
        index.register(isWeb, sameSelectorLate);
      },
      onMismatch: () => undefined,
    });
    index.setItem(item('a'), web);
    expect(late.told).toEqual(['+a']);
    expect(sameSelectorLate.told).toEqual(['+a']);
  });

  it('does not tell a listener that unregistered while another was told', () => {
    const index = new SelectorIndex();
    const gone = new Recorder();
    index.register(isWeb, { onMatch: () => index.unregister(isWeb, gone), onMismatch: () => undefined });
    index.register(isWeb, gone);
    index.setItem(item('a'), web);
    expect(gone.told).toEqual([]);
  });

  it('finds items for selectors without any label to search by', () => {
    const index = new SelectorIndex();
    index.setItem(item('a'), database);
    const recorder = new Recorder();
    index.register(parseSelector('!has(nothing) || app == "x"'), recorder);
    index.setItem(item('b'), web);
    expect(recorder.told).toEqual(['+a', '+b']);
  });
});
