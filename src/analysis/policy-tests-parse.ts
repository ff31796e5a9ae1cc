// Text of a file of policy tests -> what it expects, each expectation with its line. Names are not looked up here.
import { DataplaneError } from '../base/errors.ts';
import { hasPorts, isIcmp } from '../model/flow.ts';
import { protocolNumber } from '../model/flow-question.ts';
import { type FieldPath, formatPath } from '../resources/field-path.ts';
import { type ObjectSink, parseObject } from '../resources/object-parser.ts';
import { quoteValue, type Report } from '../resources/report.ts';
import type { Resource } from '../resources/resource.ts';
import { reportIssues } from '../resources/schema-errors.ts';
import { SourceText } from '../resources/source-text.ts';
import { parseFullYaml } from '../resources/yaml/full-yaml.ts';
import { PING, type PolicyTestsDocument, policyTests, splitLine, type TestDocument } from './policy-tests-schema.ts';

export type TestVerdict = 'allow' | 'deny';

/** One thing that is asked of a pair of ends. */
export interface TestService {
  /** `ping` = an echo request of whatever family. */
  readonly protocol: number | typeof PING;
  /** Numbers, or names of ports of the destination; one item, undefined for protocols without ports. */
  readonly ports: readonly (number | string | undefined)[];
  readonly icmpType?: number;
  readonly icmpCode?: number;
}

export interface Expectation {
  readonly name: string;
  /** 1-based, in the file of tests. */
  readonly line: number;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly service: TestService;
  readonly sourcePort?: number;
  readonly expect: TestVerdict;
  /** Each must be among what decided. */
  readonly decidedBy: readonly string[];
  readonly trace?: { readonly egress?: readonly string[]; readonly ingress?: readonly string[] };
  readonly pending?: TestVerdict;
}

/** Whatever the file does not expect to be allowed is denied. */
export interface ClosedExpectation {
  readonly line: number;
  /** undefined = all ends that the file mentions. */
  readonly endpoints?: readonly string[];
  /** undefined = all services that the file mentions. */
  readonly services?: readonly TestService[];
}

export interface PolicyTestFile {
  readonly file: string;
  /** Files and directories, relative to the file. */
  readonly paths: readonly string[];
  /** Objects written in the file itself. */
  readonly resources: readonly Resource[];
  readonly expectations: readonly Expectation[];
  readonly closed?: ClosedExpectation;
}

export interface ParsedPolicyTests {
  /** undefined when there are errors. */
  readonly tests?: PolicyTestFile;
  readonly errors: readonly DataplaneError[];
}

/** Throws nothing: whatever is wrong is in the errors, with file, line and field. */
export function parsePolicyTests(text: string, file: string): ParsedPolicyTests {
  const errors: DataplaneError[] = [];
  const [document, second] = parseFullYaml(text);
  const source = new SourceText(text, { start: 0, firstLine: 1, index: 0 });
  const report = reporter(errors, file, (path) => (document === undefined ? 1 : source.lineOf(path)));
  if (document?.problem !== undefined) {
    const [what = ''] = document.problem.message.split('\n');
    const details = { operation: 'parse', target: 'policy tests', file, line: document.problem.line };
    return { errors: [new DataplaneError('YAML_SYNTAX', what, details)] };
  }
  if (second !== undefined) report([], 'has several documents', { expected: 'one' });
  const parsed = policyTests.safeParse(document?.value ?? {});
  if (!parsed.success) reportIssues(parsed.error.issues, document?.value ?? {}, policyTests, report);
  if (!parsed.success || errors.length > 0) return { errors };
  const tests = new Reader(parsed.data, source, file, report, errors).read();
  return errors.length > 0 ? { errors } : { tests, errors };
}

function reporter(errors: DataplaneError[], file: string, lineOf: (path: FieldPath) => number): Report {
  return (path, what, { code = 'INVALID_FIELD', ...details } = {}) => {
    const field = path.length === 0 ? undefined : formatPath(path);
    const place = { operation: 'parse', target: 'policy tests', file, line: lineOf(path), field };
    errors.push(new DataplaneError(code, what, { ...place, ...details }));
  };
}

class Reader {
  readonly #document: PolicyTestsDocument;
  readonly #source: SourceText;
  readonly #file: string;
  readonly #report: Report;
  readonly #errors: DataplaneError[];

  constructor(
    document: PolicyTestsDocument,
    source: SourceText,
    file: string,
    report: Report,
    errors: DataplaneError[],
  ) {
    this.#document = document;
    this.#source = source;
    this.#file = file;
    this.#report = report;
    this.#errors = errors;
  }

  read(): PolicyTestFile {
    const { manifests, tests = [], allow = [], deny = [] } = this.#document;
    const items = typeof manifests === 'string' ? [manifests] : manifests;
    const paths = items.filter((item) => typeof item === 'string');
    const expectations = [
      ...tests.map((test, index) => this.#test(test, ['tests', index])),
      ...allow.map((text, index) => this.#line(text, 'allow', ['allow', index])),
      ...deny.map((text, index) => this.#line(text, 'deny', ['deny', index])),
    ];
    const closed = this.#closed();
    if (expectations.length === 0 && closed === undefined) {
      this.#report([], 'expects nothing', { expected: 'tests, allow, deny or closed' });
    }
    return { file: this.#file, paths, resources: this.#inline(items), expectations, closed };
  }

  #test(test: TestDocument, path: FieldPath): Expectation {
    const { from, to, protocol = 'TCP', port, icmpType, icmpCode, sourcePort, expect, decidedBy = [] } = test;
    const service = this.#service(protocol, port === undefined ? [] : [port], [...path, 'port']);
    const name = test.name ?? `${listOf(from)} -> ${listOf(to)} ${[protocol, port ?? ''].join(' ').trim()}`;
    return {
      name,
      line: this.#source.lineOf(path),
      from: [from].flat(),
      to: [to].flat(),
      service: { ...service, icmpType, icmpCode },
      sourcePort,
      expect,
      decidedBy: [decidedBy].flat(),
      trace: test.trace,
      pending: test.pending,
    };
  }

  #line(text: string, expect: TestVerdict, path: FieldPath): Expectation {
    const { from, to, service } = splitLine(text);
    return {
      name: `${expect} ${text}`,
      line: this.#source.lineOf(path),
      from: [from],
      to: [to],
      service: this.#serviceOf(service, path),
      expect,
      decidedBy: [],
    };
  }

  #closed(): ClosedExpectation | undefined {
    const { closed = false } = this.#document;
    if (closed === false) return undefined;
    const line = this.#source.lineOf(['closed']);
    if (closed === true) return { line };
    const services = closed.services?.map((text, index) => this.#serviceOf(text, ['closed', 'services', index]));
    return { line, endpoints: closed.endpoints, services };
  }

  /** `TCP 80,443`, `UDP dns`, `ICMP 8/0`, `ping`, `47`. */
  #serviceOf(text: string, path: FieldPath): TestService {
    const [protocol = '', argument] = text.split(/\s+/);
    return this.#service(protocol, argument?.split(',') ?? [], path);
  }

  #service(protocolText: string | number, given: readonly (string | number)[], path: FieldPath): TestService {
    const protocol = String(protocolText).toLowerCase() === PING ? PING : protocolNumber(protocolText);
    if (protocol === undefined) {
      this.#report(path, 'invalid value', { found: quoteValue(protocolText), expected: 'a protocol or ping' });
      return { protocol: PING, ports: [undefined] };
    }
    if (protocol !== PING && hasPorts(protocol)) return { protocol, ports: this.#ports(given, path) };
    const [first, ...more] = given;
    if (first === undefined) return { protocol, ports: [undefined] };
    const icmp = protocol !== PING && isIcmp(protocol) && more.length === 0 ? parseIcmp(String(first)) : undefined;
    if (icmp === undefined) {
      const expected = protocol !== PING && isIcmp(protocol) ? 'a type, or type/code' : 'nothing after the protocol';
      this.#report(path, 'invalid value', { found: quoteValue(given.join(',')), expected });
    }
    return { protocol, ports: [undefined], ...icmp };
  }

  #ports(given: readonly (string | number)[], path: FieldPath): readonly (string | number)[] {
    if (given.length === 0) this.#report(path, 'is missing', { code: 'MISSING_FIELD', expected: 'a port or its name' });
    return given.map((port) => {
      if (typeof port === 'string' && !/^\d+$/.test(port)) return port;
      const number = Number(port);
      if (number > 65535) this.#report(path, 'invalid value', { found: String(port), expected: 'a port 0-65535' });
      return number;
    });
  }

  #inline(items: readonly unknown[]): readonly Resource[] {
    const sink: ObjectSink = {
      file: this.#file,
      resources: [],
      errors: this.#errors,
      refused: [],
      hasUnidentified: false,
    };
    for (const [index, item] of items.entries()) {
      const path = ['manifests', index];
      const line = this.#source.lineOf(path);
      if (typeof item !== 'string') parseObject(item, { source: this.#source, path, line }, sink);
    }
    return sink.resources;
  }
}

function parseIcmp(text: string): { readonly icmpType: number; readonly icmpCode?: number } | undefined {
  const [type = 0, code] = text.split('/').map(Number);
  if (!/^\d{1,3}(?:\/\d{1,3})?$/.test(text) || type > 255 || (code ?? 0) > 255) return undefined;
  return { icmpType: type, icmpCode: code };
}

function listOf(ends: string | readonly string[]): string {
  return [ends].flat().join(', ');
}
