import { expect, it } from 'vitest';
import { Event } from '../../src/abi/event.gen.ts';
import { FLOW_FORMATS, feedFlows } from '../../src/analysis/flow-logs/feed.ts';
import { parsePolicyTests } from '../../src/analysis/policy-tests-parse.ts';
import { DataplaneError } from '../../src/base/errors.ts';
import { decodeEvents } from '../../src/events/decode.ts';
import { buildWorld } from '../../src/model/build-world.ts';
import { formatQuestion, parseFlowQuestion } from '../../src/model/flow-question.ts';
import { tryParseSelector } from '../../src/model/selector/parser.ts';
import { parseDocuments } from '../../src/resources/document.ts';
import { concat, fields } from '../support/packets/bytes.ts';
import { frame } from '../support/packets/ethernet.ts';
import { ipv4, ipv6 } from '../support/packets/ip.ts';
import { tcp, udp } from '../support/packets/transport.ts';
import { manifestsOf } from '../support/worlds/manifests.ts';
import { flowsAmong, newSeed, textOf } from '../support/worlds/questions.ts';
import { Random } from '../support/worlds/random.ts';
import { selector } from '../support/worlds/selectors.ts';
import { mutateBytes, mutateText } from './support/mutations.ts';

const scale = Number(process.env.TORTIE_FUZZ_SCALE ?? 1);
const seed = newSeed('fuzz parsers');

const ENDS4 = { source: '10.1.0.1', destination: '10.1.0.2' };
const ENDS6 = { source: 'fd00::1', destination: 'fd00::2' };
const FRAMES = [
  frame(ipv4({ ...ENDS4, segment: tcp({ sourcePort: 1, destinationPort: 80, flags: ['syn'] }) })),
  frame(ipv6({ ...ENDS6, segment: udp({ sourcePort: 53, destinationPort: 5353 }) })),
];

/** Every so many inputs are left whole, so that a parser that refuses everything is noticed. */
const WHOLE_EVERY = 8;

/** Looked at after every input: what a parser may never have done to everybody else. */
function expectCleanPrototypes(): void {
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  for (const prototype of [Object.prototype, Array.prototype, Function.prototype]) {
    expect(Object.keys(prototype)).toEqual([]);
  }
}

/** Calls with so many inputs; a failure names the input. */
function forInputs<T>(runs: number, make: (random: Random, index: number) => T, check: (input: T) => void): void {
  for (let index = 0; index < runs * scale; index += 1) {
    const input = make(new Random(seed, index), index);
    try {
      check(input);
      expectCleanPrototypes();
    } catch (error) {
      throw new Error(`input ${index} of TORTIE_SEED=${seed}: ${JSON.stringify(input).slice(0, 2000)}`, {
        cause: error,
      });
    }
  }
}

function expectOnlyOurs(errors: readonly unknown[]): void {
  for (const error of errors) expect(error).toBeInstanceOf(DataplaneError);
}

it('refuses every manifest that it cannot read by an error of its own', { timeout: 120_000 * scale }, () => {
  let understood = 0;
  forInputs(
    1000,
    (random) => mutateText(random, random.some(manifestsOf(random), 30).map(textOf).join('\n---\n')),
    (text) => {
      const { resources, errors } = parseDocuments(text, 'fuzz.yaml');
      expectOnlyOurs(errors);
      const { world, errors: more } = buildWorld(resources);
      expectOnlyOurs(more);
      understood += resources.length;
      expect(world).toBeDefined();
    },
  );
  expect(understood).toBeGreaterThan(300);
});

it('does not warn the process of a binary key', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => {
    warnings.push(warning);
  };
  process.on('warning', note);
  parseDocuments('apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {!!binary aGVs: b}}\n', 'fuzz.yaml');
  await new Promise((resolve) => setImmediate(resolve));
  process.removeListener('warning', note);
  expect(warnings).toEqual([]);
});

it('refuses every policy test that it cannot read by an error of its own', { timeout: 60_000 * scale }, () => {
  const text = `manifests: [{apiVersion: v1, kind: Namespace, metadata: {name: shop}}]
tests:
  - name: web reaches the database
    from: shop/web
    to: shop/db
    port: 5432
    protocol: TCP
    expect: allow
`;
  forInputs(
    1000,
    (random) => mutateText(random, text),
    (input) => expectOnlyOurs(parsePolicyTests(input, 'fuzz.yaml').errors),
  );
});

it('points into the selector that it cannot read', { timeout: 60_000 * scale }, () => {
  forInputs(
    5000,
    (random) => mutateText(random, selector(random)),
    (text) => {
      const result = tryParseSelector(text);
      if (!('problem' in result)) return;
      expect(result.problem.position).toBeGreaterThanOrEqual(0);
      expect(result.problem.position).toBeLessThanOrEqual(text.length);
    },
  );
});

it('refuses every question that it cannot read by an error of its own', { timeout: 60_000 * scale }, () => {
  let understood = 0;
  forInputs(
    5000,
    (random, index) => {
      const [flow] = flowsAmong(random, [], 1);
      const text = JSON.stringify(flow === undefined ? {} : formatQuestion(flow));
      return index % WHOLE_EVERY === 0 ? text : mutateText(random, text);
    },
    (text) => {
      const question = parsed(text);
      try {
        parseFlowQuestion(question);
        understood += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(DataplaneError);
      }
    },
  );
  expect(understood).toBeGreaterThan(600);
});

/** Text that is no JSON is itself a question, as good as any other. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

it('reads every file of recorded flows to its end', { timeout: 120_000 * scale }, async () => {
  let flows = 0;
  for (let index = 0; index < 2000 * scale; index += 1) {
    const random = new Random(seed, index);
    const isWhole = index % WHOLE_EVERY === 0;
    const content = isWhole ? wholeFlows(random) : recordedFlows(random);
    const pieces = (async function* () {
      for (let at = 0; at < content.length; ) {
        const size = random.between(1, 400);
        yield content.subarray(at, at + size);
        at += size;
      }
    })();
    const decoder = new TextDecoder();
    const sink = {
      flow: () => (flows += 1),
      skip: () => undefined,
      bad: (_: string, why: string) => expect(why).not.toBe(''),
    };
    const summary = feedFlows(
      pieces,
      {
        format: isWhole ? 'auto' : random.pick(FLOW_FORMATS),
        decode: (piece) => decoder.decode(piece, { stream: true }),
      },
      sink,
    );
    await expect(summary, `input ${index} of TORTIE_SEED=${seed}`).resolves.toBeDefined();
    expectCleanPrototypes();
  }
  expect(flows).toBeGreaterThan(500);
});

function wholeFlows(random: Random): Uint8Array {
  return random.weighted<Uint8Array>(
    [1, () => random.pick([pcap(), pcapng()])],
    [1, () => new TextEncoder().encode(random.pick(RECORDS))],
  );
}

/** A capture in one of two formats, or records of one of three, damaged. */
function recordedFlows(random: Random): Uint8Array {
  const capture = random.pick([pcap(), pcapng()]);
  return random.weighted<Uint8Array>(
    [3, () => mutateBytes(random, capture)],
    [4, () => new TextEncoder().encode(mutateText(random, random.pick(RECORDS).repeat(random.between(1, 3))))],
    [1, () => mutateBytes(random, new TextEncoder().encode(random.pick(RECORDS)))],
  );
}

function pcap(): Uint8Array {
  const header = fields([4, 0xa1b2c3d4], [2, 2], [2, 4], [4, 0], [4, 0], [4, 65535], [4, 1]);
  return concat(
    header,
    ...FRAMES.flatMap((bytes) => [fields([4, 1], [4, 2], [4, bytes.length], [4, bytes.length]), bytes]),
  );
}

function pcapng(): Uint8Array {
  const block = (type: number, body: Uint8Array): Uint8Array => {
    const padded = concat(body, new Uint8Array((4 - (body.length % 4)) % 4));
    return concat(fields([4, type], [4, padded.length + 12]), padded, fields([4, padded.length + 12]));
  };
  const section = block(0x0a0d0d0a, fields([4, 0x1a2b3c4d], [2, 1], [2, 0], [4, 0xffffffff], [4, 0xffffffff]));
  const packets = FRAMES.map((bytes) =>
    block(6, concat(fields([4, 0], [4, 0], [4, 0], [4, bytes.length], [4, bytes.length]), bytes)),
  );
  return concat(section, block(1, fields([2, 1], [2, 0], [4, 65535])), ...packets);
}

const RECORDS = [
  {
    flow: {
      verdict: 'FORWARDED',
      IP: { source: '10.1.0.1', destination: '10.1.0.2', ipVersion: 'IPv4' },
      l4: { TCP: { source_port: 40000, destination_port: 80, flags: { SYN: true } } },
      source: { namespace: 'shop', pod_name: 'web', labels: ['k8s:app=web'] },
      destination: { namespace: 'shop', pod_name: 'db' },
      Type: 'L3_L4',
      is_reply: false,
    },
    node_name: 'n1',
  },
  {
    start_time: 1,
    end_time: 2,
    source_ip: '10.1.0.1',
    dest_ip: '10.1.0.2',
    source_namespace: 'shop',
    source_name: 'web-1',
    source_name_aggr: 'web-*',
    source_type: 'wep',
    dest_namespace: 'shop',
    dest_name: 'db-1',
    dest_name_aggr: 'db-*',
    dest_type: 'wep',
    dest_port: 5432,
    proto: 'tcp',
    action: 'allow',
    reporter: 'dst',
    num_flows: 1,
  },
  {
    kind: 'new-flow',
    reason: 'allowed_new',
    source: '10.1.0.1',
    destination: '10.1.0.2',
    protocol: 'TCP',
    sourcePort: 40000,
    destinationPort: 80,
  },
].map((record) => `${JSON.stringify(record)}\n`);

it('decodes whatever stands in whole records', { timeout: 60_000 * scale }, () => {
  forInputs(
    5000,
    (random) => {
      const records = random.list(1, 4, () => {
        const bytes = Uint8Array.from({ length: Event.SIZE }, () => random.below(256));
        bytes[Event.OFFSET.kind] = random.below(7);
        bytes[Event.OFFSET.family] = random.pick([0, 4, 6, 255]);
        return concat(new Uint8Array(Uint32Array.of(Event.SIZE).buffer), bytes);
      });
      return {
        chunk: concat(...records),
        known: records.filter((record) => isKnown(record[4 + Event.OFFSET.kind])).length,
      };
    },
    ({ chunk, known }) => {
      const events = decodeEvents(chunk);
      expect(events).toHaveLength(known);
      for (const { reason, source } of events) {
        expect(reason).not.toBe('');
        if (source !== undefined) expect([1, 4]).toContain(source.words.length);
      }
    },
  );
});

it('refuses every chunk that is not whole by an error of its own', { timeout: 60_000 * scale }, () => {
  let refused = 0;
  forInputs(
    5000,
    (random) => {
      const record = concat(new Uint8Array(Uint32Array.of(Event.SIZE).buffer), new Uint8Array(Event.SIZE).fill(1));
      return mutateBytes(random, concat(...random.list(1, 4, () => record)));
    },
    (chunk) => {
      try {
        decodeEvents(chunk);
      } catch (error) {
        expect(error).toBeInstanceOf(DataplaneError);
        refused += 1;
      }
    },
  );
  expect(refused).toBeGreaterThan(500 * scale);
});

function isKnown(kind: number | undefined): boolean {
  return kind !== undefined && kind >= 1 && kind <= 5;
}
