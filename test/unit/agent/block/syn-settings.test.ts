import { describe, expect, it } from 'vitest';
import { parseSynProtection } from '../../../../src/agent/block/syn-settings.ts';

const PORTS = [0, 22, 80, 179, 443, 8000, 8050, 8099, 8100, 65_535];

describe('the ports of SYN protection', () => {
  it.each<[string, readonly number[]]>([
    ['off', []],
    ['auto', PORTS.filter((port) => port !== 179)],
    ['22', [22]],
    ['22,443', [22, 443]],
    ['8000-8099,179', [179, 8000, 8050, 8099]],
    ['1-65535', PORTS.filter((port) => port !== 0)],
  ])('are, of %s', (text, ports) => {
    const isProtected = parseSynProtection(text);
    expect(PORTS.filter((port) => isProtected?.(port))).toEqual(ports);
  });

  it.each(['', 'on', '0', '65536', '22,', ',22', '22;443', '99-10', '22-', '1-2-3', '-1', '22.5', ' 22', '100000'])(
    'are not: %j',
    (text) => {
      expect(parseSynProtection(text)).toBeUndefined();
    },
  );
});
