import { describe, expect, it } from 'vitest';
import { describe as describeFindings } from '../../../../src/cli/commands/doctor.ts';

describe('tortie doctor', () => {
  it('shows each finding, hints for what is bad, and how many there are', () => {
    const text = describeFindings([
      { id: 'one', checked: 'that one is well', level: 'ok', found: 'yes' },
      { id: 'two', checked: 'that two is well', level: 'fail', found: 'no', hint: 'make it so' },
      { id: 'three', checked: 'that three is well', level: 'skip', found: 'nobody knows' },
    ]);
    expect(text).toBe(
      [
        'STATE  CHECK  FOUND',
        'ok     one    yes',
        'fail   two    no',
        'skip   three  nobody knows',
        '',
        'two: that two is well',
        '  make it so',
        '',
        '1 ok, 0 warnings, 1 failures, 1 skipped',
      ].join('\n'),
    );
  });
});
