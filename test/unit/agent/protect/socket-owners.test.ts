import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { socketOwners } from '../../../../src/agent/protect/socket-owners.ts';

const proc = mkdtempSync(join(tmpdir(), 'tortie-proc-'));
afterAll(() => rmSync(proc, { recursive: true }));

function process(pid: number, name: string, links: readonly string[]): void {
  mkdirSync(join(proc, String(pid), 'fd'), { recursive: true });
  writeFileSync(join(proc, String(pid), 'comm'), `${name}\n`);
  for (const [at, link] of links.entries()) symlinkSync(link, join(proc, String(pid), 'fd', String(at)));
}

describe('socketOwners', () => {
  it('names the holder of each socket, and rather a service than who opened it for it', () => {
    process(1, 'systemd', ['socket:[10]', 'socket:[11]', '/dev/null']);
    process(20, 'sshd', ['socket:[10]', 'pipe:[5]']);
    process(30, 'nginx', ['socket:[12]']);
    process(31, 'nginx', ['socket:[12]']);
    mkdirSync(join(proc, '40'));
    mkdirSync(join(proc, 'net'));
    expect(socketOwners(proc)).toEqual(
      new Map([
        [10, 'sshd'],
        [11, 'systemd'],
        [12, 'nginx'],
      ]),
    );
  });

  it('finds nobody where nothing may be seen', () => {
    expect(socketOwners(join(proc, 'nowhere'))).toEqual(new Map());
  });
});
