// The manual pages of docs/man as the programs that show them take them.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProject } from '../../../tools/lab/project.ts';

const folder = join(findProject(), 'docs/man');

describe('manual pages', () => {
  it.each(readdirSync(folder))('%s has nothing that mandoc warns of', (name) => {
    const { stdout, status } = spawnSync('mandoc', ['-Tlint', '-Wwarning', name], { cwd: folder, encoding: 'utf8' });
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
  });
});
