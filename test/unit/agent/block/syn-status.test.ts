import { describe, expect, it } from 'vitest';
import { cookieLack } from '../../../../src/agent/block/syn-status.ts';

describe('what keeps SYNs from being answered', () => {
  it.each<[boolean, string, RegExp | null]>([
    [true, '1\n', null],
    [true, '2\n', null],
    [true, '0\n', /net\.ipv4\.tcp_syncookies is 0/],
    [false, '2\n', /Linux 5\.18/],
  ])('helpers there: %s, setting %j', (hasHelpers, setting, lack) => {
    const found = cookieLack(hasHelpers, () => setting);
    if (lack === null) expect(found).toBeNull();
    else expect(found).toMatch(lack);
  });
});
