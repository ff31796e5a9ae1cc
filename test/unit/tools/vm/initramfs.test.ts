import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { packArchive } from '../../../../tools/vm/cpio.ts';
import { loadOrder } from '../../../../tools/vm/initramfs.ts';

it('loads what a module needs before it, and nothing twice', () => {
  const dependencies = [
    'kernel/fs/fuse/virtiofs.ko.xz: kernel/fs/fuse/fuse.ko.xz kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko',
    'kernel/fs/fuse/fuse.ko.xz:',
    'kernel/drivers/virtio/virtio_ring.ko: kernel/drivers/virtio/virtio.ko',
    'kernel/drivers/virtio/virtio.ko:',
  ].join('\n');
  expect(
    loadOrder(dependencies, ['virtio_ring', 'virtiofs', 'built_in']).map((file) => file.replace(/.*\//, '')),
  ).toEqual(['virtio.ko', 'virtio_ring.ko', 'fuse.ko.xz', 'virtiofs.ko.xz']);
});

it('packs an archive that busybox unpacks', () => {
  const archive = packArchive([
    { path: 'init', data: 'odd', isExecutable: true },
    { path: 'a/b/empty', data: '' },
  ]);
  const { stdout, status } = spawnSync('busybox', ['cpio', '-tv'], { input: archive, encoding: 'utf8' });
  expect(status).toBe(0);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => [line.slice(0, 10), line.split(' ').at(-1)]);
  expect(lines).toEqual([
    ['drwxr-xr-x', 'a'],
    ['drwxr-xr-x', 'a/b'],
    ['-rwxr-xr-x', 'init'],
    ['-rw-r--r--', 'a/b/empty'],
  ]);
});
