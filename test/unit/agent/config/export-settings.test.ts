import { describe, expect, it } from 'vitest';
import { EXPORT_SETTINGS, findExportErrors } from '../../../../src/agent/config/export-settings.ts';

const given = (values: Readonly<Record<string, string>>) =>
  new Map(Object.entries(values).map(([name, value]) => [name, { value, origin: 'a test' }]));

describe('settings of exports', () => {
  it('are in order by default', () => {
    expect(findExportErrors(given({ exports: '', packetLog: 'auto' }))).toEqual([]);
  });

  it.each([
    ['exports', 'file:///a file:///b', /name of another one/],
    ['exports', 'journald:', /of another kind/],
    ['exports', 'gopher://x', /no known scheme/],
    ['packetLog', 'ipfix+udp://x', /of another kind/],
  ])('refuse %s: %s, and say why', (name, value, why) => {
    const errors = findExportErrors(given({ [name]: value }));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code: 'INVALID_FIELD', field: name });
    expect(errors[0]?.message).toMatch(why);
  });

  it('take rates and prefixes that can be, and no others', () => {
    const { logActionRate, logPrefix } = EXPORT_SETTINGS;
    expect(['', '10/second', '1/d'].map((text) => logActionRate.type.parse(text))).toEqual(['', '10/second', '1/d']);
    expect(['10', '0/second', 5].map((text) => logActionRate.type.parse(text))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(logPrefix.type.parse('%t käse')).toBe('%t käse');
    expect(['a\nb', '\u001b[2J', 'x'.repeat(257)].map((text) => logPrefix.type.parse(text))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
