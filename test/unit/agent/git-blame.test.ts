import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blameLine } from '../../../src/agent/git-blame.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-blame-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function git(...words: readonly string[]): void {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'commit.gpgsign=false'];
  execFileSync('git', [...identity, ...words], { cwd: folder, stdio: 'ignore' });
}

describe('blameLine', () => {
  it('names the commit of a line, and says of another that it is in none', () => {
    git('init', '--quiet');
    writeFileSync(join(folder, 'a.yaml'), 'one\ntwo\n');
    git('add', '.');
    git('commit', '--quiet', '-m', 'allow web');
    writeFileSync(join(folder, 'a.yaml'), 'one\nchanged\n');
    expect(blameLine(folder, 'a.yaml', 1)).toMatchObject({
      author: 'Ada',
      summary: 'allow web',
      time: expect.any(String),
    });
    expect(blameLine(folder, 'a.yaml', 2)).toMatchObject({ commit: '' });
    expect(blameLine(folder, 'a.yaml', 99)).toBeUndefined();
  });

  it('knows nothing outside of repositories, nor of names that are options', () => {
    writeFileSync(join(folder, 'a.yaml'), 'one\n');
    expect(blameLine(folder, 'a.yaml', 1)).toBeUndefined();
    expect(blameLine(folder, '--help', 1)).toBeUndefined();
    expect(blameLine('/nonexistent', 'a.yaml', 1)).toBeUndefined();
  });
});
