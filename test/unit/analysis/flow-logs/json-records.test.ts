import { describe, expect, it } from 'vitest';
import { type JsonItem, readJsonRecords } from '../../../../src/analysis/flow-logs/json-records.ts';

async function readAll(text: string, pieceLength: number, maxLength?: number): Promise<JsonItem[]> {
  async function* pieces(): AsyncGenerator<string> {
    for (let at = 0; at < text.length; at += pieceLength) yield text.slice(at, at + pieceLength);
  }
  const items: JsonItem[] = [];
  for await (const item of readJsonRecords(pieces(), maxLength)) items.push(item);
  return items;
}

const short = (items: readonly JsonItem[]): readonly unknown[] =>
  items.map((item) => (item.kind === 'record' ? [item.line, item.record.n] : [item.line, item.why]));

const CASES: readonly { readonly name: string; readonly text: string; readonly items: readonly unknown[] }[] = [
  {
    name: 'a value a line',
    text: '{"n":1}\n{"n":2}\n',
    items: [
      [1, 1],
      [2, 2],
    ],
  },
  {
    name: 'a last line without its end',
    text: '{"n":1}\n{"n":2}',
    items: [
      [1, 1],
      [2, 2],
    ],
  },
  {
    name: 'lines that end as on Windows, and empty ones',
    text: '{"n":1}\r\n\r\n{"n":2}\r\n',
    items: [
      [1, 1],
      [3, 2],
    ],
  },
  {
    name: 'a line that is no JSON among others',
    text: '{"n":1}\nboo\n{"n":3}',
    items: [
      [1, 1],
      [2, 'is not JSON'],
      [3, 3],
    ],
  },
  {
    name: 'a value that is no object',
    text: '{"n":1}\n7\n',
    items: [
      [1, 1],
      [2, 'is not an object'],
    ],
  },
  {
    name: 'a list on one line',
    text: '[{"n":1},{"n":2}]',
    items: [
      [1, 1],
      [1, 2],
    ],
  },
  {
    name: 'an envelope',
    text: '{"meta":{},"items":[{"n":1},{"n":2}]}',
    items: [
      [1, 1],
      [1, 2],
    ],
  },
  { name: 'envelopes in envelopes', text: '{"flows":[{"id":4,"flow":{"n":1}}]}', items: [[1, 1]] },
  {
    name: 'a document of several lines',
    text: '{\n "items": [\n {"n":1},\n {"n":2}\n ]\n}\n',
    items: [
      [1, 1],
      [1, 2],
    ],
  },
  { name: 'a document of several lines that is cut off', text: '[\n {"n":1},\n', items: [[1, 'is not JSON']] },
  {
    name: 'server-sent events',
    text: 'event: flow\ndata: {"n":1}\n\n: ping\nid: 3\ndata:{"n":2}\n',
    items: [
      [2, 1],
      [6, 2],
    ],
  },
];

describe('readJsonRecords', () => {
  it.each(CASES)('reads $name, in whatever pieces it comes', async ({ text, items }) => {
    for (const length of [1, 2, 7, 1000]) expect(short(await readAll(text, length))).toEqual(items);
  });

  it('drops a line that is too long and goes on with the next', async () => {
    const text = `{"n":1}\n{"n":"${'x'.repeat(100)}"}\n{"n":3}`;
    for (const length of [3, 1000]) {
      expect(short(await readAll(text, length, 50))).toEqual([
        [1, 1],
        [2, 'is longer than 50 characters'],
        [3, 3],
      ]);
    }
  });

  it('gives up on a document that is too long', async () => {
    const text = `[\n${'{"n":1},\n'.repeat(20)}{"n":2}]`;
    const [item, ...more] = await readAll(text, 10, 60);
    expect(more).toEqual([]);
    expect(item).toMatchObject({ kind: 'bad', line: 1, why: expect.stringContaining('longer than 60') as string });
  });
});
