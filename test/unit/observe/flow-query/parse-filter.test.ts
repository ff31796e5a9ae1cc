import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataplaneError } from '../../../../src/base/errors.ts';
import { addressKey, addressOfKey, prefixKeys } from '../../../../src/observe/flow-query/address-key.ts';
import { filterOfOptions } from '../../../../src/observe/flow-query/filter-options.ts';
import { parseFilter } from '../../../../src/observe/flow-query/parse-filter.ts';
import { predicateOf } from '../../../../src/observe/flow-query/predicate.ts';
import { matchesWildcard } from '../../../../src/observe/flow-query/wildcard.ts';
import { flowEnd, flowLog } from '../../../support/flow-logs.ts';

const log = flowLog({
  action: 'deny',
  reason: 'drop_ingress_policy',
  destination: flowEnd({
    namespace: 'infra',
    name: 'dns-1',
    aggregatedName: 'dns-*',
    address: '2001:db8::53',
    port: 53,
    labels: { 'k8s.io/app': 'dns' },
  }),
  protocol: 'UDP',
  service: { namespace: 'infra', name: 'dns', portName: 'dns', port: 53 },
  enforced: ['0|security|gnp:deny-all|deny|3'],
  pending: ['0|security|sgnp:allow-dns|allow|0'],
});

describe('text of a filter', () => {
  it.each([
    ['from = shop/web-*', true],
    ['from = shop/', true],
    ['from = web-5d4f-x7k2p', true],
    ['from = web-5d4f-*', true],
    ['to = shop/', false],
    ['to = */dns-1', true],
    ['namespace = infra && from.namespace != infra', true],
    ['label = "k8s.io/app=dns"', true],
    ['to.label = k8s.io/app', true],
    ['from.label = k8s.io/app', false],
    ['label = "app=web" and not to.label = app', true],
    ['verdict = denied', true],
    ['verdict = allow', false],
    ['pending = allow', true],
    ['port = 53', true],
    ['port in {50-60, 443}', true],
    ['port > 53', false],
    ['port >= 53 and port <= 53', true],
    ['from.port = 0', true],
    ['protocol = udp', true],
    ['protocol = 17', true],
    ['protocol not in {tcp, sctp}', true],
    ['reason = drop_*_policy', true],
    ['policy = deny-all', true],
    ['policy = allow-*', true],
    ['policy = deny', false],
    ['service = infra/dns', true],
    ['reporter = destination', true],
    ['address = 2001:db8::/32', true],
    ['from.address = 10.0.0.0/30', true],
    ['to.address = 10.0.0.0/8', false],
    ['bytes > 1799 and packets < 19', true],
    ['!(port = 53 or port = 54)', false],
    ['NOT port = 53 OR verdict = deny AND node = node-1', true],
    ["name = 'dns-1'", true],
  ])('%s', (text, expected) => {
    expect(predicateOf(parseFilter(text))(log)).toBe(expected);
  });

  it.each([
    ['from = web-5d4f-x7k2p', true],
    // Nobody but that pod is left out, and no aggregate is it alone.
    ['not from = web-5d4f-x7k2p', true],
    ['from != web-5d4f-x7k2p', true],
    ['!(port = 1 or from in {web-5d4f-x7k2p})', true],
    ['from != web-5d4f-*', false],
  ])('%s, of an aggregate', (text, expected) => {
    const source = flowEnd({ name: 'web-5d4f-*', aggregatedName: 'web-5d4f-*' });
    expect(predicateOf(parseFilter(text))({ ...log, source })).toBe(expected);
  });

  it.each([
    ['', 'column 1', 'found the end', 'expected a field, not or ('],
    ['from', 'column 5', 'found the end', 'an operator: =, !=, in, not in'],
    ['port ~ 5', 'column 6', 'found "~"', 'put other text in quotes'],
    ['prot = 6', 'column 1', 'found "prot"', 'did you mean port?'],
    ['from = a and', 'column 13', 'found the end', 'a field'],
    ['port = 65536', 'column 8', 'found "65536"', '0-65535'],
    ['port in {80, x}', 'column 14', 'found "x"', 'a port or a range'],
    ['port in 80', 'column 9', 'found "80"', 'a set such as {a, b}'],
    ['node > 5', 'column 6', 'found ">"', 'an operator: =, !=, in, not in'],
    ['verdict = maybe', 'column 11', 'found "maybe"', 'allow or deny'],
    ['address = 10.0.0', 'column 11', 'found "10.0.0"', 'an address or a prefix'],
    ['(port = 1', 'column 10', 'found the end', 'expected )'],
    ['port = 1 port = 2', 'column 10', 'found "port"', 'and, or, or the end'],
    ['node = "x', 'column 8', 'a closing "', ''],
    ['node = a*b*c*d*e*f*g*h*i*j', 'column 8', '', '8 times at most'],
  ])('%s is refused with its place', (text, column, found, expected) => {
    const failure = failureOf(() => parseFilter(text));
    expect(failure.code).toBe('INVALID_FILTER');
    for (const part of [column, found, expected]) expect(failure.message).toContain(part);
  });

  it('is refused when it is deep, long or has too many conditions', () => {
    expect(failureOf(() => parseFilter(`${'('.repeat(100)}port = 1${')'.repeat(100)}`)).message).toContain('nested');
    expect(failureOf(() => parseFilter('x'.repeat(9000))).message).toContain('too long');
    expect(failureOf(() => parseFilter(`port in {${Array(300).fill('1').join(',')}}`)).message).toContain(
      '300 conditions',
    );
  });

  it('never fails in another way', () => {
    const parts = fc.constantFrom(
      'from',
      'port',
      '=',
      '!=',
      'in',
      '{',
      '}',
      '(',
      ')',
      ',',
      '80',
      'and',
      'or',
      'not',
      '"',
      "'",
      '*',
      ' ',
      '\u0000',
      '\ud800',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(parts).map((list) => list.join(' ')),
        ),
        (text) => {
          try {
            parseFilter(text);
          } catch (error) {
            expect(error).toMatchObject({ code: 'INVALID_FILTER' });
          }
        },
      ),
    );
  });
});

describe('options of a filter', () => {
  const holds = (given: Readonly<Record<string, readonly string[]>>) =>
    predicateOf(filterOfOptions((name) => given[name] ?? []))(log);

  it('lets either value of one through, and wants different ones together', () => {
    expect(holds({})).toBe(true);
    expect(holds({ verdict: ['allow', 'deny'] })).toBe(true);
    expect(holds({ verdict: ['deny'], port: ['80', '53'] })).toBe(true);
    expect(holds({ verdict: ['deny'], port: ['80'] })).toBe(false);
    expect(holds({ verdict: ['deny'], filter: ['port = 53', 'protocol = udp'] })).toBe(true);
    expect(holds({ filter: ['port = 53', 'protocol = tcp'] })).toBe(false);
  });

  it('names the option whose value is none', () => {
    const failure = failureOf(() => filterOfOptions((name) => (name === 'from-address' ? ['10.0.0.0/33'] : [])));
    expect(failure.message).toContain(
      'from-address: invalid value: found "10.0.0.0/33", expected an address or a prefix',
    );
  });
});

describe('keys of addresses', () => {
  it('sort as the addresses of a prefix do, and go back', () => {
    for (const address of ['0.0.0.0', '10.0.0.1', '255.255.255.255', '::', '2001:db8::1', 'fe80::']) {
      expect(addressOfKey(addressKey(address))).toBe(address);
    }
    expect(addressKey('')).toBe('');
    expect(prefixKeys('10.0.0.0/9')).toEqual({ low: addressKey('10.0.0.0'), high: addressKey('10.127.255.255') });
    expect(prefixKeys('10.0.0.77/30')).toEqual({ low: addressKey('10.0.0.76'), high: addressKey('10.0.0.79') });
    expect(prefixKeys('2001:db8::/33')).toEqual({
      low: addressKey('2001:db8::'),
      high: addressKey('2001:db8:7fff:ffff:ffff:ffff:ffff:ffff'),
    });
    expect(prefixKeys('10.0.0')).toBeUndefined();
  });
});

it('a star of a pattern stands for any characters, and for nothing slow', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 3 }), { maxLength: 5 }),
      fc.array(fc.string({ maxLength: 3 })),
      (parts, fill) => {
        const clean = parts.map((part) => part.replaceAll('*', ''));
        const text = clean.reduce((all, part, index) => all + (index === 0 ? '' : (fill[index] ?? '')) + part, '');
        expect(matchesWildcard(clean.join('*'), text)).toBe(true);
        expect(matchesWildcard(`${clean.join('*')}\u0001`, text)).toBe(false);
      },
    ),
  );
  expect(matchesWildcard(`${'*a'.repeat(8)}*b`, 'a'.repeat(50_000))).toBe(false);
});

function failureOf(run: () => unknown): DataplaneError {
  try {
    run();
  } catch (error) {
    if (error instanceof DataplaneError) return error;
    throw error;
  }
  return expect.fail('was taken');
}
