import { describe, expect, it } from 'vitest';
import { parsePolicyTests } from '../../../src/analysis/policy-tests-parse.ts';

const messages = (text: string): string[] => parsePolicyTests(text, 'shop.yaml').errors.map(({ message }) => message);

const BAD: readonly (readonly [string, string, string])[] = [
  ['text that is no YAML', 'manifests: [', 'shop.yaml:1: parse policy tests:'],
  ['an empty file', '', 'manifests: is missing'],
  ['a file that expects nothing', 'manifests: .', 'expects nothing, expected tests, allow, deny or closed'],
  ['a field that is not known', 'manifests: .\nalow: []\n', 'alow: unknown field (did you mean allow?)'],
  [
    'a test without an end',
    'manifests: .\ntests:\n  - from: a/b\n    port: 1\n    expect: allow',
    'tests[0].to: is missing',
  ],
  [
    'a test that expects something else',
    'manifests: .\ntests:\n  - {from: a/b, to: a/c, port: 1, expect: maybe}',
    'shop.yaml:3: parse policy tests: tests[0].expect: invalid value: found "maybe", expected allow or deny',
  ],
  [
    'a line that is none',
    'manifests: .\nallow:\n  - a/b to a/c TCP 80',
    'shop.yaml:3: parse policy tests: allow[0]: invalid value: found "a/b to a/c TCP 80", expected <from> -> <to>',
  ],
  ['a protocol that is none', 'manifests: .\nallow: [a/b -> a/c TPC 80]', 'allow[0]: invalid value: found "TPC"'],
  [
    'a line without its port',
    'manifests: .\nallow: [a/b -> a/c TCP]',
    'allow[0]: is missing, expected a port or its name',
  ],
  ['a test without its port', 'manifests: .\ntests: [{from: a/b, to: a/c, expect: deny}]', 'tests[0].port: is missing'],
  ['a port out of range', 'manifests: .\nallow: [a/b -> a/c TCP 70000]', 'found 70000, expected a port 0-65535'],
  ['a port of a protocol without', 'manifests: .\nallow: [a/b -> a/c ping 80]', 'expected nothing after the protocol'],
  ['an ICMP type out of range', 'manifests: .\nallow: [a/b -> a/c ICMP 300]', 'expected a type, or type/code'],
  [
    'a decider that is no trace entry',
    'manifests: .\ntests: [{from: a/b, to: a/c, port: 1, expect: deny, decidedBy: the boss}]',
    'tests[0].decidedBy: invalid value',
  ],
  [
    'several documents',
    'manifests: .\nallow: [a/b -> a/c ping]\n---\nmanifests: .',
    'has several documents, expected one',
  ],
  [
    'an object in place that is not valid',
    'manifests:\n  - x.yaml\n  - apiVersion: v1\n    kind: Namespace\n    metadata:\n      nam: a\nclosed: true',
    'metadata.name: is missing',
  ],
];

describe('parsePolicyTests', () => {
  it.each(BAD)('refuses %s', (_name, text, message) => {
    expect(messages(text).join('\n')).toContain(message);
  });

  it('names the line of every expectation', () => {
    const { tests, errors } = parsePolicyTests(
      [
        'manifests: [../one, two.yaml]',
        'allow:',
        '  - a/b -> a/c TCP 80,https',
        'tests:',
        '  - name: named',
        '    from: [a/b, 10.0.0.1]',
        '    to: a/*',
        '    protocol: udp',
        '    port: 53',
        '    expect: deny',
        '    decidedBy: np:a/x',
        'deny: [a/b -> a/c ICMP 3/1]',
        'closed: true',
      ].join('\n'),
      'shop.yaml',
    );
    expect(errors).toEqual([]);
    expect(tests?.paths).toEqual(['../one', 'two.yaml']);
    expect(tests?.closed).toEqual({ line: 13 });
    expect(tests?.expectations.map(({ name, line, service }) => ({ name, line, service }))).toEqual([
      { name: 'named', line: 5, service: { protocol: 17, ports: [53], icmpType: undefined, icmpCode: undefined } },
      { name: 'allow a/b -> a/c TCP 80,https', line: 3, service: { protocol: 6, ports: [80, 'https'] } },
      {
        name: 'deny a/b -> a/c ICMP 3/1',
        line: 12,
        service: { protocol: 1, ports: [undefined], icmpType: 3, icmpCode: 1 },
      },
    ]);
  });

  it('reads objects written in place, with their lines in the file of tests', () => {
    const text = 'manifests:\n  - apiVersion: v1\n    kind: Namespace\n    metadata: {name: a}\nclosed: true\n';
    const { tests } = parsePolicyTests(text, 'shop.yaml');
    expect(tests?.resources.map(({ id, location }) => ({ id, location }))).toEqual([
      { id: 'Namespace//a', location: { file: 'shop.yaml', line: 2 } },
    ]);
  });
});
