import { describe, expect, it } from 'vitest';
import type { TestResult } from '../../../src/analysis/policy-tests.ts';
import { type FileResult, testsAsData, testsAsJunit, testsAsTap } from '../../../src/analysis/policy-tests-reports.ts';
import { DataplaneError } from '../../../src/base/errors.ts';
import { type IpAddress, parseAddress } from '../../../src/model/address.ts';

const address = (text: string): IpAddress => parseAddress(text) as IpAddress;
const flow = {
  source: address('10.0.0.1'),
  destination: address('10.0.0.2'),
  protocol: 6,
  sourcePort: 1,
  destinationPort: 80,
  icmpType: 0,
  icmpCode: 0,
};
const failing: TestResult = {
  name: 'a <b> & "c" # \u0001',
  line: 7,
  cells: 3,
  failures: [
    {
      cell: { flow, from: 'a/b', to: 'a/c' },
      problems: ['expected allow, found deny'],
      verdict: {
        verdict: 'deny',
        egress: null,
        ingress: { endpoint: 'a/c', verdict: 'deny', trace: [], isLogged: false },
      },
    },
  ],
};
const broken: TestResult = {
  name: 'broken',
  line: 9,
  cells: 0,
  failures: [],
  error: new DataplaneError('NOT_FOUND', 'no such end', { operation: 'test', target: 'a/x' }),
};
const results: readonly FileResult[] = [
  {
    file: 'one.yaml',
    tests: [{ name: 'good', line: 2, cells: 2, failures: [] }, failing, broken],
    errors: [],
    durationMs: 1500,
  },
  { file: 'two.yaml', tests: [], errors: [{ code: 'YAML_SYNTAX', message: 'is bad' }], durationMs: 0 },
];

describe('testsAsJunit', () => {
  const xml = testsAsJunit(results);

  it('counts tests, failures and errors, in all and by file', () => {
    expect(xml).toContain('<testsuites name="tortie test" tests="4" failures="1" errors="2">');
    expect(xml).toContain('<testsuite name="one.yaml" tests="3" failures="1" errors="1" time="1.500">');
    expect(xml).toContain('<testcase classname="one.yaml" name="good" file="one.yaml" line="2"/>');
  });

  it('escapes what XML does not allow', () => {
    expect(xml).toContain('name="a &lt;b&gt; &amp; &quot;c&quot; # \ufffd"');
    expect([...xml].every((char) => char >= ' ' || char === '\n')).toBe(true);
  });

  it('closes every element that it opens', () => {
    const open: string[] = [];
    for (const [, slash, name, rest] of xml.matchAll(/<(\/?)([a-z]+)((?:\s+[a-z]+="[^"<>]*")*\s*\/?)>/g)) {
      if (slash === '/') expect(open.pop()).toBe(name);
      else if (rest?.endsWith('/') !== true) open.push(name as string);
    }
    expect(open).toEqual([]);
  });
});

describe('testsAsTap', () => {
  it('numbers every test, and says what failed', () => {
    expect(testsAsTap(results).split('\n')).toEqual([
      'TAP version 14',
      '1..4',
      'ok 1 - one.yaml:2 good',
      'not ok 2 - one.yaml:7 a <b> & "c" \\# \u0001',
      '  ---',
      expect.stringMatching(/^ {2}failures: \[\{"from":"a\/b","to":"a\/c"/) as string,
      '  ...',
      'not ok 3 - one.yaml:9 broken',
      '  ---',
      '  message: "test a/x: no such end"',
      '  ...',
      'not ok 4 - two.yaml: YAML_SYNTAX',
      '  ---',
      '  message: "is bad"',
      '  ...',
    ]);
  });
});

describe('testsAsData', () => {
  it('has every failing flow with both sides', () => {
    const data = JSON.parse(JSON.stringify(testsAsData(results))) as Record<string, unknown>;
    expect(data).toMatchObject({ passed: 1, failed: 2 });
    expect(data).toMatchObject({
      files: [
        {
          tests: [
            { isPassed: true },
            {
              isPassed: false,
              failures: [
                {
                  from: 'a/b',
                  flow: { src: '10.0.0.1', dst: '10.0.0.2', protocol: 'TCP', srcPort: 1, dstPort: 80 },
                  verdict: 'deny',
                  egress: null,
                  ingress: { endpoint: 'a/c', verdict: 'deny', trace: [] },
                },
              ],
            },
            { error: { code: 'NOT_FOUND' } },
          ],
        },
        { errors: [{ code: 'YAML_SYNTAX' }] },
      ],
    });
  });
});
