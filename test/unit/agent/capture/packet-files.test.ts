import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PacketFiles } from '../../../../src/agent/capture/packet-files.ts';
import type { CapturedRecord } from '../../../../src/observe/capture/captured-record.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-capture-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const packet: CapturedRecord = {
  record: {
    time: '2026-01-01T00:00:00.000Z',
    kind: 'new-flow',
    reason: 'allowed_new',
    interface: 'calia',
    hook: 'from_workload',
    source: '10.0.0.1',
    destination: '10.0.0.2',
    protocol: 'UDP',
    generation: 1,
    length: 200,
  },
  verdict: 'allow',
  direction: 'inbound',
  link: 'ethernet',
  timeNs: 1n,
  length: 214,
  bytes: new Uint8Array(128),
};
const options = (more: Partial<ConstructorParameters<typeof PacketFiles>[0]> = {}) => ({
  path: join(folder, 'one.pcapng'),
  snapBytes: 128,
  maxBytes: 4096,
  maxFiles: 1,
  ...more,
});
/** Types of the blocks of a file. */
function blocks(path: string): number[] {
  const bytes = readFileSync(path);
  const types = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + 4)) types.push(bytes.readUInt32LE(at));
  return types;
}

describe('files of packets', () => {
  it("are whole, and their owner's alone, whatever the umask", () => {
    const mask = process.umask(0);
    const path = join(folder, 'new', 'deep', 'one.pcapng');
    try {
      const files = new PacketFiles(options({ path }));
      files.write(packet);
      files.close();
      files.close();
    } finally {
      process.umask(mask);
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'new', 'deep')).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o700);
    expect(blocks(path)).toEqual([0x0a0d0d0a, 1, 6, 5]);
  });

  it('can be read as they grow', () => {
    const files = new PacketFiles(options());
    files.write(packet);
    files.flush();
    expect(blocks(join(folder, 'one.pcapng'))).toEqual([0x0a0d0d0a, 1, 6]);
    files.close();
  });

  it('end when they are as large as they may be', () => {
    const files = new PacketFiles(options());
    let written = 0;
    while (files.write(packet)) written += 1;
    files.close();
    expect(files.written).toBe(written);
    expect(statSync(join(folder, 'one.pcapng')).size).toBeLessThan(4096 + 256);
    expect(blocks(join(folder, 'one.pcapng')).filter((type) => type === 6)).toHaveLength(written);
  });

  it('are followed by others, of which the newest stay', () => {
    const files = new PacketFiles(options({ maxFiles: 2 }));
    for (let index = 0; index < 70; index += 1) expect(files.write(packet)).toBe(true);
    files.note(3);
    files.close();
    const names = readdirSync(folder).sort();
    expect(names).toEqual(files.names.map((name) => name.slice(folder.length + 1)));
    expect(names).toHaveLength(2);
    expect(names[0]).toMatch(/^one-0000[2-9]\.pcapng$/);
    for (const name of names) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
      expect(blocks(join(folder, name))[0]).toBe(0x0a0d0d0a);
      expect(blocks(join(folder, name)).at(-1)).toBe(5);
    }
    expect(files.written).toBe(70);
  });

  it('are never what somebody else has put there', () => {
    const path = join(folder, 'one.pcapng');
    const other = join(folder, 'other');
    writeFileSync(other, 'mine', { mode: 0o666 });
    linkSync(other, path);
    new PacketFiles(options()).close();
    expect(readFileSync(other, 'utf8')).toBe('mine');
    expect(statSync(path).ino).not.toBe(statSync(other).ino);
    for (const make of [() => symlinkSync(other, path), () => mkdirSync(path)]) {
      rmSync(path, { recursive: true });
      make();
      expect(() => new PacketFiles(options())).toThrow(/something else has that name/);
    }
    expect(readFileSync(other, 'utf8')).toBe('mine');
  });

  it('say what keeps them from being written', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => new PacketFiles(options({ path: join(folder, 'file', 'one') }))).toThrow(/ENOTDIR|EEXIST/);
    expect(existsSync(join(folder, 'one.pcapng'))).toBe(false);
  });
});
