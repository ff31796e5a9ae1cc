import { describe, expect, it } from 'vitest';
import { runCommand } from '../../support/run-command.ts';

describe('tortie bench', () => {
  it.each([
    { words: ['--without', 'none'], says: 'none' },
    { words: ['--without', 'pf'], says: 'pf' },
    { words: ['--rounds', '0'], says: '--rounds' },
    { words: ['--flows', 'many'], says: '--flows' },
  ])('refuses $words before it touches anything', async ({ words, says }) => {
    const { code, output } = await runCommand(['bench', ...words]);
    expect(code).toBe(2);
    expect(output).toContain(says);
  });

  it('says in its help what it needs and what it leaves alone', async () => {
    const { code, answer } = await runCommand(['bench', '--help']);
    expect(code).toBe(0);
    expect(answer).toContain('Needs root');
    expect(answer).toContain('never touched');
  });
});
