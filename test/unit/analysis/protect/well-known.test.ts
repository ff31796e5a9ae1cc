import { describe, expect, it } from 'vitest';
import { KNOWN_SERVICES, serviceName } from '../../../../src/analysis/protect/well-known.ts';
import { LABEL_NAME } from '../../../../src/resources/names.ts';

describe('known services', () => {
  it('have names of their own, fit to be part of names of objects', () => {
    const names = KNOWN_SERVICES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect([...names, serviceName(6, 9100), serviceName(17, 1)].filter((name) => !LABEL_NAME.accepts(name))).toEqual(
      [],
    );
  });

  it('are known by one protocol and port each', () => {
    expect(new Set(KNOWN_SERVICES.map(({ protocol, port }) => `${protocol} ${port}`)).size).toBe(KNOWN_SERVICES.length);
  });
});
