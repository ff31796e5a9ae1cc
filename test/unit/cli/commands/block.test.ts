// What `tortie block` prints and how it ends, against an agent without a kernel.
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';
import { runCommand } from '../../../support/run-command.ts';

const FILES: Readonly<Record<string, string>> = { '/etc/resolv.conf': 'nameserver 192.0.2.53\n' };
let agent: KernelLessAgent;
let folder: string;

beforeEach(async () => {
  agent = await KernelLessAgent.start({ block: { read: (path) => FILES[path] } });
  folder = mkdtempSync(join(tmpdir(), 'tortie-block-cli-'));
});

afterEach(async () => {
  await agent.end();
  rmSync(folder, { recursive: true });
});

const block = (...words: string[]) => runCommand(['block', ...words, '--socket', agent.options.socket]);

function fileOf(text: string): string {
  const path = join(folder, 'list.txt');
  writeFileSync(path, text);
  return path;
}

describe('tortie block', () => {
  it('shows what is blocked, for how long, why and by whom', async () => {
    expect(await block('add', '198.51.100.7', '--ttl', '1h', '--reason', 'flood')).toMatchObject({ code: 0 });
    await block('feed', 'add', 'drop', '--from-file', fileOf('203.0.113.0/24\n'));
    const { answer } = await block('list');
    expect(answer).toMatch(/^198\.51\.100\.7\/32 +0s +(59m59s|1h) +flood$/m);
    expect(answer).toMatch(/^feed drop: 1 prefixes +0s +never$/m);
    expect(answer).toMatch(/^1 entries, 1 feeds, 2 prefixes; guarded: nowhere; dropped 0 packets, 0 bytes$/m);
    expect((await block('list', '-o', 'wide')).answer).toMatch(/^198\.51\.100\.7\/32 .*T.*Z +the agent +flood$/m);
    expect(JSON.parse((await block('list', '-o', 'json')).answer)).toMatchObject({ entries: 1, feeds: 1 });
    expect(parse((await block('feed', 'list', '-o', 'yaml')).answer)).toMatchObject([{ name: 'drop', prefixes: 1 }]);
    expect((await block('feed', 'list')).answer).toMatch(/^drop +1 +0 +0s +never$/m);
  });

  it('says of an address who blocks it; exit code 1 if nobody', async () => {
    await block('add', '198.51.100.0/24', '--reason', 'flood');
    expect(await block('test', '198.51.100.7')).toMatchObject({
      code: 0,
      answer: '198.51.100.7 is blocked\n  entry 198.51.100.0/24: flood\n',
    });
    expect(await block('test', '192.0.2.7')).toMatchObject({ code: 1, answer: '192.0.2.7 is not blocked\n' });
  });

  it('tells of bad lines with their numbers; exit code 3', async () => {
    const path = fileOf('# list\n198.51.100.7\n10.1.1.1/8\n192.0.2.53\nnonsense\n');
    const { code, answer } = await block('add', '--from-file', path);
    expect([code, answer.split('\n')]).toEqual([
      3,
      [
        '1 blocked',
        '3 lines were left out:',
        '  line 3: "10.1.1.1/8" has bits set past its length: is 10.0.0.0/8 or 10.1.1.1 meant?',
        '  line 4: "192.0.2.53" contains 192.0.2.53, which is a name server of this machine',
        '  line 5: "nonsense" is neither an address nor a prefix',
        '',
      ],
    ]);
  });

  it('refuses to lock somebody out, and does it when forced', async () => {
    const { code, output } = await block('add', '192.0.2.0/24');
    expect([code, output]).toEqual([
      1,
      'LOCKS_OUT: block 192.0.2.0/24: contains 192.0.2.53, which is a name server of this machine (nothing was blocked; --force does it all the same)\n',
    ]);
    expect(await block('add', '192.0.2.0/24', '--force')).toMatchObject({ code: 0, answer: '1 blocked\n' });
  });

  it('warns when it is stored, but not in force everywhere; exit code 4', async () => {
    agent.enforcement.lack = 'no interface has a default route';
    expect(await block('add', '198.51.100.7')).toMatchObject({
      code: 4,
      output: '1 blocked\nwarning: not in force everywhere: no interface has a default route\n',
    });
  });

  it.each<[string, string[], number, RegExp]>([
    ['nothing to block', ['add'], 2, /USAGE: .*nothing is named/],
    ['a file that is not there', ['add', '--from-file', '/nonexistent'], 1, /FILE_UNREADABLE: .*is not there/],
    ['a directory', ['feed', 'add', 'x', '--from-file', '/'], 1, /FILE_UNREADABLE: .*is a directory/],
    ['what is no entry', ['remove', '198.51.100.7'], 1, /NOT_FOUND: .*is no entry/],
    ['a feed that is not there', ['feed', 'remove', 'x'], 1, /NOT_FOUND: .*is no feed/],
    ['a feed without a file', ['feed', 'add', 'x'], 2, /--from-file/],
  ])('refuses %s', async (_, words, code, message) => {
    expect(await block(...words)).toMatchObject({ code, output: expect.stringMatching(message) });
  });

  it('refuses a file of hundreds of megabytes without reading it', async () => {
    const path = fileOf('');
    truncateSync(path, 2 ** 30);
    expect(await block('feed', 'add', 'x', '--from-file', path)).toMatchObject({
      code: 1,
      output: expect.stringContaining('FILE_TOO_LARGE'),
    });
  });
});
