import { describe, expect, it } from 'vitest';
import { parseMac } from '../../../src/resources/mac.ts';

describe('parseMac', () => {
  it.each(['0a:58:0A:f4:00:05', '0a-58-0a-f4-00-05', '0A58.0AF4.0005'])('reads %s', (text) => {
    expect(parseMac(text)).toBe('0a:58:0a:f4:00:05');
  });

  it.each(['', '0a:58', '0a:58:0a:f4:00:05:06', '0a:58-0a:f4:00:05', '0a580af40005', '0g:58:0a:f4:00:05'])(
    'does not read %j',
    (text) => {
      expect(parseMac(text)).toBeUndefined();
    },
  );
});
