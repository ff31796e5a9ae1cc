import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../src/agent/refusal.ts';
import { DataplaneError, type ErrorCode } from '../../../src/base/errors.ts';
import { Logger } from '../../../src/base/log.ts';
import type { DesiredState } from '../../../src/calc/resolved.ts';
import type { Wiring } from '../../../src/kernel/wiring.ts';

const desiredState = (): DesiredState => ({
  endpoints: new Map(),
  hostEndpoints: new Map(),
  hostSettings: new Map(),
  prefixes: new Map(),
});
const failure = (code: ErrorCode, what = 'does not fit') =>
  new DataplaneError(code, what, { operation: 'compile', target: 'policy' });

function open() {
  const lines: string[] = [];
  let count = 0;
  const refusal = new Refusal(new Logger({ level: 'info', write: (line) => lines.push(line) }), () => {
    count += 1;
  });
  return { refusal, lines, count: () => count };
}

describe('a change that was refused', () => {
  const desired = desiredState();
  const wiring: Wiring = { bindings: [], interfaces: [] };

  it.each(['TABLE_FULL', 'LIMIT_EXCEEDED'] as const)('for %s is not tried again as it is', (code) => {
    const { refusal } = open();
    expect(refusal.standsFor(desired, wiring)).toBe(false);
    refusal.note(failure(code), { desired, wiring });
    expect(refusal.standsFor(desired, wiring)).toBe(true);
    expect(refusal.standsFor(desired, { ...wiring })).toBe(true);
  });

  it('is tried again when policy, an endpoint or an interface has changed', () => {
    const { refusal } = open();
    refusal.note(failure('TABLE_FULL'), { desired, wiring });
    expect(refusal.standsFor(desiredState(), wiring)).toBe(false);
    expect(refusal.standsFor(desired, { ...wiring, bindings: [] })).toBe(false);
    expect(refusal.standsFor(desired, { ...wiring, interfaces: [] })).toBe(false);
  });

  it('for what may be over by then is tried again as it is', () => {
    const { refusal } = open();
    refusal.note(failure('KERNEL'), { desired, wiring });
    expect(refusal.standsFor(desired, wiring)).toBe(false);
  });

  it('is said once for each reason, counted each time, and stands until something is in force', () => {
    const { refusal, lines, count } = open();
    refusal.note(failure('TABLE_FULL'), { desired, wiring });
    refusal.note(failure('TABLE_FULL'), { desired: desiredState(), wiring });
    expect(lines).toHaveLength(1);
    refusal.note(failure('KERNEL', 'no memory'));
    expect(lines).toHaveLength(2);
    expect(count()).toBe(3);
    expect(refusal.error?.code).toBe('KERNEL');
    refusal.clear();
    expect(refusal.error).toBeUndefined();
  });

  it('for what is no error of the dataplane is not swallowed', () => {
    const { refusal, count } = open();
    expect(() => refusal.note(new TypeError('a bug'))).toThrow('a bug');
    expect(count()).toBe(0);
  });
});
