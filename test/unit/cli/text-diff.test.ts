import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unifiedDiff } from '../../../src/cli/text-diff.ts';
import { newSeed } from '../../support/worlds/questions.ts';

describe('unifiedDiff', () => {
  it('shows what differs with three lines around it', () => {
    const before = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].join('\n');
    expect(unifiedDiff(`${before}\n`, `${before.replace('e', 'E')}\n`, 'x')).toBe(
      '--- x\n+++ x\n@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h',
    );
  });

  it('says nothing of equal texts, and where one is not there', () => {
    expect(unifiedDiff('a\n', 'a\n', 'x')).toBe('');
    expect(unifiedDiff('', 'a\nb\n', 'x')).toBe('--- /dev/null\n+++ x\n@@ -0,0 +1,2 @@\n+a\n+b');
    expect(unifiedDiff('a\n', '', 'x')).toBe('--- x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a');
  });

  it('makes of the first text the second one, as patch(1) reads it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tortie-diff-'));
    const seed = newSeed('unified diff');
    const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 30 });
    const applies = fc.property(text, text, (old, young) => {
      const [before, after] = [old, young].map((lines) => `${lines.join('\n')}\n`) as [string, string];
      if (before === after) return;
      const path = join(folder, 'file');
      writeFileSync(path, before);
      const input = `${unifiedDiff(before, after, 'file')}\n`;
      const { status, stdout } = spawnSync('patch', ['-u', '--no-backup-if-mismatch', '-F0', path], {
        input,
        encoding: 'utf8',
      });
      expect({ status, stdout: stdout.includes('offset') }).toEqual({ status: 0, stdout: false });
      expect(readFileSync(path, 'utf8')).toBe(after);
    });
    fc.assert(applies, { seed, numRuns: 60 });
    rmSync(folder, { recursive: true });
  });
});
