// Vagrant itself reads the Vagrantfile: no machine is made.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/bench/command.ts';
import { findProject } from '../../tools/lab/project.ts';

describe('the Vagrantfile', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tortie-vagrant-'));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** What Vagrant keeps goes to a folder of ours, so that the tree stays as it is. */
  function vagrant(settings: readonly string[], words: readonly string[]): Promise<{ stdout: string }> {
    const places = [`VAGRANT_HOME=${join(folder, 'home')}`, `VAGRANT_DOTFILE_PATH=${join(folder, 'machines')}`];
    const program = ['vagrant', ...words, '--no-color'];
    return runCommand(['env', `--chdir=${findProject()}`, ...places, ...settings, ...program]);
  }

  it.each(['kvm', 'qemu'])('is valid for libvirt, whose driver is %s', async (driver) => {
    const settings = ['VAGRANT_DEFAULT_PROVIDER=libvirt', `TORTIE_VAGRANT_DRIVER=${driver}`];
    expect((await vagrant(settings, ['validate'])).stdout).toContain('validated successfully');
  });

  it('is valid but for what only VirtualBox itself can tell', async () => {
    const settings = ['VAGRANT_DEFAULT_PROVIDER=virtualbox'];
    expect((await vagrant(settings, ['validate', '--ignore-provider'])).stdout).toContain('validated successfully');
  });

  it('names two hosts and an outsider', async () => {
    const { stdout } = await vagrant(['VAGRANT_DEFAULT_PROVIDER=libvirt'], ['status', '--machine-readable']);
    const names = [...stdout.matchAll(/^\d+,([\w-]+),metadata/gm)].map(([, name]) => name);
    expect(names).toEqual(['host1', 'host2', 'outsider']);
  });
});
