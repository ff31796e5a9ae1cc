import { describe, expect, it } from 'vitest';
import { type BundleItem, bundleOf, MOST_BUNDLE_BYTES, MOST_FILE_BYTES } from '../../../../src/agent/doctor/bundle.ts';

function item(name: string, read: () => unknown, keep: BundleItem['keep'] = 'head'): BundleItem {
  return { name, what: `what ${name} is`, keep, read };
}

async function read(items: readonly BundleItem[]) {
  const files = await bundleOf('top', items);
  const texts = new Map(files.map(({ name, content }) => [name, Buffer.from(content).toString()]));
  return { texts, index: JSON.parse(texts.get('top/index.json') ?? '') };
}

describe('a support bundle', () => {
  it('names each file, and why one is missing', async () => {
    const { texts, index } = await read([
      item('a.json', async () => ({ one: 1 })),
      item('b.txt', () => undefined),
      item('c.txt', () => {
        throw new Error('not permitted');
      }),
    ]);
    expect([...texts.keys()]).toEqual(['top/index.json', 'top/a.json']);
    expect(index.files).toEqual([
      { file: 'a.json', what: 'what a.json is', bytes: 15 },
      { file: 'b.txt', what: 'what b.txt is', bytes: 0, missing: 'there is none, or it could not be read' },
      { file: 'c.txt', what: 'what c.txt is', bytes: 0, missing: 'not permitted' },
    ]);
  });

  it('takes secrets out of data, text and reasons', async () => {
    const { texts } = await read([
      item('a.json', () => ({ password: 'hunter2' })),
      item('b.txt', () => 'token=hunter2'),
      item('c.txt', () => {
        throw new Error('connect https://me:hunter2@host');
      }),
    ]);
    expect([...texts.values()].join('')).not.toContain('hunter2');
  });

  it('keeps the end of a log and the beginning of all else', async () => {
    const text = `first${'x'.repeat(MOST_FILE_BYTES)}last`;
    const { texts, index } = await read([item('log.txt', () => text, 'tail'), item('list.txt', () => text)]);
    expect(texts.get('top/log.txt')).toMatch(/last$/);
    expect(texts.get('top/list.txt')).toMatch(/^first/);
    expect(index.files.map((one: { omittedBytes: number }) => one.omittedBytes)).toEqual([9, 9]);
  });

  it('stays under its size however many files are large', async () => {
    const many = Array.from({ length: 20 }, (_, at) => item(`${at}.txt`, () => 'x'.repeat(MOST_FILE_BYTES)));
    const files = await bundleOf('top', many);
    const bytes = files.slice(1).reduce((sum, { content }) => sum + content.length, 0);
    expect(bytes).toBe(MOST_BUNDLE_BYTES);
  });
});
