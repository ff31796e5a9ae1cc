import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readInterfaceFile } from '../../../src/cli/host-interfaces.ts';

const directory = mkdtempSync(join(tmpdir(), 'tortie-interfaces-'));
const file = join(directory, 'interfaces.json');
afterAll(() => rmSync(directory, { recursive: true }));

function read(text: string): unknown {
  writeFileSync(file, text);
  return readInterfaceFile(file);
}

describe('readInterfaceFile', () => {
  it('reads interfaces, of the host unless it says otherwise', () => {
    const text = '[{"name":"eth0","addresses":["192.0.2.1","2001:db8::1"]},{"name":"cali1","kind":"workload"}]';
    expect(read(text)).toEqual([
      {
        name: 'eth0',
        kind: 'host',
        addresses: [
          { family: 4, words: [0xc0000201] },
          { family: 6, words: [0x20010db8, 0, 0, 1] },
        ],
      },
      { name: 'cali1', kind: 'workload', addresses: [] },
    ]);
  });

  it.each([
    ['what is no JSON', 'eth0', /cannot be read/],
    ['what is no list', '{"name":"eth0"}', /expected \[\{"name"/],
    ['an address that is none', '[{"name":"eth0","addresses":["192.0.2"]}]', /0\.addresses\.0: an IP address/],
    ['another kind', '[{"name":"eth0","kind":"bridge"}]', /0\.kind/],
    ['a field that nobody knows', '[{"name":"eth0","ip":"192.0.2.1"}]', /0/],
    ['a name that is too long', '[{"name":"interface0123456"}]', /0\.name/],
  ])('refuses %s', (_what, text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  it('refuses a file that is not there', () => {
    expect(() => readInterfaceFile(join(directory, 'none.json'))).toThrow(/cannot be read/);
  });
});
