// The disk of a guest that boots systemd: this machine's files are beneath, so it holds what makes a machine of its own of them, the
// package included. Written here in seconds, where a guest would unpack for minutes.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MachineSpec, rootScript, writeMachineFiles } from '../../host/packaging/machine.ts';

const SIZE = '2G';
/** Units of this machine's systemd that do nothing for the guest but take it time. */
const IDLE = [
  ...['configfs', 'dm_mod', 'drm', 'efi_pstore', 'fuse', 'loop'].map((name) => `modprobe@${name}.service`),
  ...['dev-hugepages', 'dev-mqueue', 'sys-kernel-debug', 'sys-kernel-tracing'].map((name) => `${name}.mount`),
  ...['journal-flush', 'modules-load', 'pstore', 'random-seed', 'sysusers', 'tmpfiles-setup-dev', 'update-utmp'].map(
    (name) => `systemd-${name}.service`,
  ),
  'kmod-static-nodes.service',
  'timers.target',
];

/** Writes `<folder>/disk`. Throws with what the shell said. Returns its path. */
export function makeSystemDisk(folder: string, spec: MachineSpec): string {
  writeMachineFiles(folder, spec);
  const disk = join(folder, 'disk');
  const script = join(folder, 'disk.sh');
  const lines = [
    'set -e',
    ...rootScript(folder, spec),
    // Neither a first boot, which asks questions, nor what this machine mounts.
    'echo 0123456789abcdef0123456789abcdef > root/etc/machine-id',
    'echo > root/etc/fstab',
    // This machine may keep a million files in /tmp, which a machine that boots would remove one by one.
    'mkdir -p root/etc/tmpfiles.d',
    'ln -s /dev/null root/etc/tmpfiles.d/tmp.conf',
    ...IDLE.map((unit) => `ln -s /dev/null root/etc/systemd/system/${unit}`),
    'umount root',
    'mkdir image image/work',
    'mv up image/up',
    `mkfs.ext4 -q -F -m 0 -d image ${disk} ${SIZE}`,
  ];
  writeFileSync(script, `${lines.join('\n')}\n`);
  const argv = ['--mount', '--propagation', 'private', 'sh', script];
  const { status, stdout, stderr } = spawnSync('unshare', argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`no disk: ${stdout}${stderr}`);
  return disk;
}
