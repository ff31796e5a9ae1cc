import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, limitsByName, parseLimits } from '../../../src/agent/limits.ts';
import { LimitedCount } from '../../../src/calc/limits.ts';
import { DEFAULT_TABLE_LIMITS, requireWithin, type TableLimits } from '../../../src/tables/limits.ts';

const DOCUMENT = 'docs/limits.md';

/** Names and defaults of the table of limits. */
function documented(): Map<string, number> {
  const lines = readFileSync(DOCUMENT, 'utf8').matchAll(/^\| `([a-z][a-z0-9-]*)` \| ([\d,]+) \|/gm);
  return new Map([...lines].map(([, name = '', value = '']) => [name, Number(value.replaceAll(',', ''))]));
}

/** The setting that an error's hint names. */
function settingOf(exceed: () => void): string | undefined {
  try {
    exceed();
    return undefined;
  } catch (error) {
    return /--limit ([a-z0-9-]+)=/.exec((error as Error).message)?.[1];
  }
}

describe('parseLimits', () => {
  it('changes the limits that are named', () => {
    const limits = parseLimits(['rules=7', 'manifest-files=8', 'l4-classes=9', 'rules=10']);
    expect(limits.calc).toEqual({ ...DEFAULT_LIMITS.calc, rules: 10 });
    expect(limits.manifests).toEqual({ ...DEFAULT_LIMITS.manifests, files: 8 });
    expect(limits.tables).toEqual({ ...DEFAULT_LIMITS.tables, l4Classes: 9 });
  });

  it('takes every name that there is', () => {
    for (const name of limitsByName(DEFAULT_LIMITS).keys()) {
      expect(limitsByName(parseLimits([`${name}=12345`])).get(name)).toBe(12345);
    }
  });

  it.each(['rules', 'rules=', 'rules=many', 'rules=-1', 'rules=0', 'rules=1.5', 'ruels=1', '=1', ''])(
    'refuses "%s"',
    (setting) => {
      expect(() => parseLimits([setting])).toThrow(expect.objectContaining({ code: 'USAGE' }));
    },
  );
});

describe(DOCUMENT, () => {
  it('has every limit with its default, and no other', () => {
    expect(documented()).toEqual(new Map(limitsByName(DEFAULT_LIMITS)));
  });
});

describe('a refusal', () => {
  it.each(Object.keys(DEFAULT_TABLE_LIMITS) as (keyof TableLimits)[])('by tables names its setting: %s', (name) => {
    const setting = settingOf(() => requireWithin(name, DEFAULT_TABLE_LIMITS[name] + 1, DEFAULT_TABLE_LIMITS));
    expect(limitsByName(DEFAULT_LIMITS).get(setting ?? '')).toBe(DEFAULT_TABLE_LIMITS[name]);
  });

  it.each(Object.keys(DEFAULT_LIMITS.calc) as (keyof typeof DEFAULT_LIMITS.calc)[])(
    'by calc names its setting: %s',
    (name) => {
      const limit = DEFAULT_LIMITS.calc[name];
      const setting = settingOf(() => new LimitedCount(name, DEFAULT_LIMITS.calc).add(limit + 1));
      expect(limitsByName(parseLimits([`${setting}=3`])).get(setting ?? '')).toBe(3);
      expect(parseLimits([`${setting}=3`]).calc[name]).toBe(3);
    },
  );
});
