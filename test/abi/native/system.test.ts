// The rest of the addon: features, the wait for running programs, locks, mounts, credentials.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtFile, loadNative } from '../../../src/kernel/native.ts';
import { errorOf } from './fixture.ts';

describe('the addon', () => {
  const native = loadNative();
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'tortie-system-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('finds what the kernel can do by trying it', () => {
    const features = native.probeFeatures();
    const [major = 0, minor = 0] = os.release().split('.').map(Number);
    expect(features.release).toBe(os.release());
    expect(features.possibleCpus).toBeGreaterThan(0);
    expect(features.tcx).toBe(major > 6 || (major === 6 && minor >= 6));
    expect(features.btf).toBe(existsSync('/sys/kernel/btf/vmlinux'));
    expect(features).toMatchObject({ bpfSyscall: true, mmapableArrays: true, ringBuffer: true, redirectPeer: true });
  });

  it('does not take a lack of rights for a lack of features', () => {
    const script = `try { require(${JSON.stringify(builtFile('build/Release/tortie.node'))}).probeFeatures(); } catch (e) { console.log(e.code); }`;
    const copy = path.join(folder, 'tortie.node');
    execFileSync('install', ['-m', '755', builtFile('build/Release/tortie.node'), copy]);
    execFileSync('chmod', ['755', folder]);
    const { stdout } = spawnSync(
      process.execPath,
      ['--eval', script.replace(builtFile('build/Release/tortie.node'), copy)],
      {
        uid: 65534,
        gid: 65534,
        encoding: 'utf8',
      },
    );
    expect(stdout).toBe('EPERM\n');
  });

  it('waits for running programs without stopping the event loop', async () => {
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
    }, 1);
    await Promise.all(Array.from({ length: 8 }, () => native.waitForPrograms()));
    await native.waitForPrograms();
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(0);
  });

  it('gives a lock to one holder at a time', () => {
    const file = path.join(folder, 'lock');
    const lock = native.FileLock.acquire(file);
    expect(errorOf(() => native.FileLock.acquire(file))).toMatchObject({ code: 'KERNEL', cause: { code: 'EAGAIN' } });
    lock.close();
    native.FileLock.acquire(file).close();
  });

  it('mounts bpffs once', () => {
    expect(errorOf(() => native.mountBpffs(path.join(folder, 'none')))).toMatchObject({ cause: { code: 'ENOENT' } });
    const point = mkdtempSync(path.join(folder, 'bpffs-'));
    native.mountBpffs(point);
    try {
      expect(execFileSync('stat', ['--file-system', '--format=%T', point], { encoding: 'utf8' })).toBe('bpf_fs\n');
      expect(errorOf(() => native.mountBpffs(point))).toMatchObject({ cause: { code: 'EBUSY' } });
    } finally {
      execFileSync('umount', [point]);
    }
  });

  it('tells who is at the other end of a socket', async () => {
    const file = path.join(folder, 'socket');
    const credentials = await new Promise((resolve) => {
      const server = net.createServer((socket) => {
        const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
        resolve(native.peerCredentials(fd));
        socket.destroy();
        server.close();
      });
      server.listen(file, () => net.connect(file).on('error', () => {}));
    });
    expect(credentials).toEqual({ pid: process.pid, uid: 0, gid: 0 });
    expect(errorOf(() => native.peerCredentials(99_999))).toMatchObject({ cause: { code: 'EBADF' } });
  });
});
