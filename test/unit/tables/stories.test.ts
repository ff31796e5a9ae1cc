import { describe, expect, it } from 'vitest';
import type { TraceEntry } from '../../../src/model/trace.ts';
import { Stories } from '../../../src/tables/stories.ts';

function entry(name: string): TraceEntry {
  return { tier: 'default', kind: 'np', name, action: 'allow', ruleIndex: 0 };
}

describe('Stories', () => {
  it('gives equal ways one id, and different ways different ids', () => {
    const stories = new Stories();
    const first = stories.extend('ingress', entry('a'));
    expect(stories.extend('ingress', entry('a')).id).toBe(first.id);
    expect(stories.extend(first, entry('a')).id).not.toBe(first.id);
    expect(stories.extend('egress', entry('a')).id).not.toBe(first.id);
  });

  it('tells a chain in order', () => {
    const stories = new Stories();
    const last = stories.extend(stories.extend('ingress', entry('a')), entry('b'));
    expect(stories.tell(last.id)).toEqual({ trace: [entry('a'), entry('b')] });
  });

  it('keeps apart where the rules of both directions are written, and follows a rule that moves', () => {
    const stories = new Stories();
    const at = (line: number): TraceEntry => ({ ...entry('a'), location: { file: 'a.yaml', line } });
    const ingress = stories.extend('ingress', at(5));
    const egress = stories.extend('egress', at(9));
    expect(stories.tell(ingress.id)).toEqual({ trace: [at(5)] });
    expect(stories.tell(egress.id)).toEqual({ trace: [at(9)] });
    expect(stories.extend('ingress', at(6)).id).toBe(ingress.id);
    expect(stories.tell(ingress.id)).toEqual({ trace: [at(6)] });
  });

  it('tells an enforced and a pending chain by one id', () => {
    const stories = new Stories();
    const enforced = stories.extend('ingress', entry('a'));
    const pending = stories.extend(stories.extend('ingress', entry('s')), entry('b'));
    const both = stories.pair(enforced.id, pending.id);
    expect(stories.tell(both)).toEqual({ trace: [entry('a')], pending: [entry('s'), entry('b')] });
    expect(stories.pair(enforced.id, pending.id)).toBe(both);
  });

  it('keeps both chains of a pair for as long as the pair is used, and forgets them after', () => {
    const stories = new Stories();
    stories.beginImage();
    const before = stories.extend('ingress', entry('a'));
    const enforced = stories.extend(before, entry('b'));
    const pending = stories.extend('ingress', entry('s'));
    const both = stories.pair(enforced.id, pending.id);
    stories.retain(both);
    for (let image = 0; image < 40; image += 1) stories.beginImage();
    expect(stories.tell(both)).toEqual({ trace: [entry('a'), entry('b')], pending: [entry('s')] });
    stories.release(both);
    for (let image = 0; image < 32; image += 1) stories.beginImage();
    expect(stories.tell(both)).toBeUndefined();
    expect(stories.size).toBe(0);
  });

  it('keeps what is given up for some images, and the same id when it is taken again in time', () => {
    const stories = new Stories();
    stories.beginImage();
    const { id } = stories.extend('ingress', entry('a'));
    stories.retain(id);
    stories.beginImage();
    stories.release(id);
    for (let image = 0; image < 7; image += 1) stories.beginImage();
    expect(stories.tell(id)).toEqual({ trace: [entry('a')] });
    stories.retain(stories.extend('ingress', entry('a')).id);
    for (let image = 0; image < 40; image += 1) stories.beginImage();
    expect(stories.tell(id)).toEqual({ trace: [entry('a')] });
  });

  it('do not age by images that come to nothing', () => {
    const stories = new Stories();
    stories.beginImage();
    const { id } = stories.extend('ingress', entry('a'));
    for (let image = 0; image < 40; image += 1) {
      stories.beginImage();
      stories.abandonImage();
    }
    expect(stories.tell(id)).toEqual({ trace: [entry('a')] });
  });
});
