import { describe, expect, it } from 'vitest';
import { visibleLines, visibleText } from '../../../src/cli/hostile-text.ts';

describe('text that others chose', () => {
  it('does not act on a terminal', () => {
    expect(visibleText('a\u001b]0;title\u0007b\u202e\n')).toBe('a\\u001b]0;title\\u0007b\\u202e\\u000a');
  });

  it('keeps colours and ends of lines that are there already', () => {
    expect(visibleLines('\u001b[31mdeny\u001b[39m\n\tnext\u001b]0;title\u0007\u001b[2J')).toBe(
      '\u001b[31mdeny\u001b[39m\n\tnext\\u001b]0;title\\u0007\\u001b[2J',
    );
  });
});
