import { describe, expect, it } from 'vitest';
import { loadManifests, openEngine } from '../../../src/agent/offline.ts';
import { EndpointNames } from '../../../src/analysis/endpoint-names.ts';
import { runPolicyTests } from '../../../src/analysis/policy-tests.ts';
import { parsePolicyTests } from '../../../src/analysis/policy-tests-parse.ts';

const { world } = loadManifests('examples/three-tier/manifests');
const names = new EndpointNames(world);
const engine = openEngine('tables', world, '*');

/** For each test: its number of cells, then what is wrong with each failing one. */
function run(body: string): readonly (readonly unknown[])[] {
  const { tests, errors } = parsePolicyTests(`manifests: .\n${body}`, 'tests.yaml');
  if (tests === undefined) throw errors[0];
  const results = runPolicyTests(tests, names, (flow) => engine.evaluate(flow));
  return results.map(({ cells, failures, error }) => [
    cells,
    ...failures.flatMap(({ problems }) => problems),
    ...(error === undefined ? [] : [`${error.code}: ${error.message}`]),
  ]);
}

const test = (fields: string): string => `tests:\n  - {from: 203.0.113.10, to: shop/web-1, expect: allow, ${fields}}`;

describe('runPolicyTests', () => {
  it.each([
    ['a name stands for its addresses of each family', 'allow: [shop/web-1 -> shop/api-1 TCP 9000]', [[2]]],
    ['several ports are several flows', "deny: ['shop/web-1 -> shop/db-1 TCP 1,2']", [[4]]],
    ['a port may be named', 'allow: [203.0.113.10 -> shop/web-1 UDP http3]', [[1]]],
    ['ping is the echo request of each family', 'allow: [shop/web-1 -> shop/db-1 ping]', [[2]]],
    ['ICMP is of IPv4 alone', 'allow: [shop/web-1 -> shop/db-1 ICMP]', [[1]]],
    ['a pattern leaves out an end against itself', 'allow: [shop/* -> shop/* ping]', [[12]]],
    ['what decided may be named in part', test('port: 8080, decidedBy: np:shop/web'), [[1]]],
    ['what decided may be named in full', test('port: 8080, decidedBy: "1|default|np:shop/web|allow|0"'), [[1]]],
    [
      'a trace may be given',
      test(
        'port: 8080, trace: {ingress: ["0|security|gnp:security-baseline|pass|5", "1|default|np:shop/web|allow|0"]}',
      ),
      [[1]],
    ],
    ['the pending verdict may be given', test('port: 8080, pending: deny'), [[1]]],
  ])('%s', (_name, body, results) => {
    expect(run(body)).toEqual(results);
  });

  it.each([
    [
      'another verdict',
      'deny: [shop/web-1 -> shop/api-1 TCP 9000]',
      ['expected deny, found allow', 'expected deny, found allow'],
    ],
    [
      'another rule',
      test('port: 8080, decidedBy: np:shop/api'),
      ['decidedBy: expected np:shop/api, found default|np:shop/web|allow|0'],
    ],
    ['another pending verdict', test('port: 8080, pending: allow'), ['pending: expected allow, found deny']],
    [
      'another trace',
      test('port: 8080, trace: {egress: ["0|x|np:a|allow|0"]}'),
      ['trace.egress: expected ["0|x|np:a|allow|0"], found []'],
    ],
    [
      'several things at once',
      test('port: 8081, decidedBy: np:shop/web'),
      ['expected allow, found deny', 'decidedBy: expected np:shop/web, found default|gnp:default-deny|deny|-1'],
    ],
  ])('reports %s', (_name, body, problems) => {
    const [[, ...found] = []] = run(body);
    expect(found).toEqual(problems);
  });

  it.each([
    ['an unknown end', 'allow: [shop/web-2 -> shop/api-1 TCP 9000]', /NOT_FOUND: .*\(did you mean shop\/web-1\?\)/],
    [
      'an unknown port',
      'allow: [shop/web-1 -> shop/api-1 TCP http]',
      /found http, expected a number or one of: TCP grpc, TCP metrics/,
    ],
    ['a port name of an address', 'allow: [shop/web-1 -> 192.0.2.1 TCP http]', /it has no named ports/],
    [
      'ends of different families',
      'allow: [2001:db8::1 -> 10.65.0.10 TCP 80]',
      /INVALID_FIELD: .*no address in common/,
    ],
  ])('reports %s and runs the other tests', (_name, body, message) => {
    const results = run(`${body}\ndeny: [shop/web-1 -> shop/db-1 TCP 5432]`);
    expect(results[0]?.[1]).toMatch(message);
    expect(results[1]).toEqual([2]);
  });

  describe('of a closed file', () => {
    it('finds what is open and not expected to be', () => {
      const results = run(
        'allow: [shop/web-1 -> shop/api-1 TCP 9000]\ndeny: [192.0.2.10 -> shop/web-1 TCP 8081]\nclosed:\n  endpoints: [shop/web-1, shop/api-1, 192.0.2.10]\n  services: [TCP 9000, TCP 8080]',
      );
      expect(results.at(-1)).toEqual([14, 'expected deny, found allow: no test expects it to be open']);
    });

    it('asks about all ends and services that the file mentions', () => {
      const results = run('allow: [shop/web-1 -> shop/api-1 TCP 9000]\nclosed: true');
      expect(results.at(-1)).toEqual([2]);
    });

    it('asks nothing between ends that have no policy', () => {
      const results = run(
        'deny: [203.0.113.10 -> shop/db-1 TCP 1]\nclosed:\n  endpoints: [203.0.113.10, 192.0.2.10]\n  services: [TCP 1]',
      );
      expect(results.at(-1)).toEqual([0]);
    });
  });
});
