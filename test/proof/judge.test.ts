// The judge of all the others here: it knows what the reference evaluator says of every version, and sees what is wrong.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FlipJudge } from '../../tools/lab/flip-judge.ts';
import { FLIP_WORKLOADS, flipEndpoints, flipFlows, flipPolicy } from '../../tools/lab/flip-world.ts';
import { ManifestFolder } from '../../tools/lab/manifest-folder.ts';
import { monotonicNs } from '../../tools/lab/timeline.ts';
import type { Fate } from '../../tools/lab/witness.ts';
import { PolicyTruth } from '../host/support/policy-truth.ts';

/** All remainders by which versions differ. */
const VERSIONS = 12;

describe('flipFlows', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tortie-proof-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('says of every version what the reference evaluator says', () => {
    const manifests = new ManifestFolder(folder);
    const [client] = FLIP_WORKLOADS;
    const addresses = client?.addresses ?? [];
    manifests.write('00-endpoints.yaml', flipEndpoints());
    for (let version = 1; version <= VERSIONS; version += 1) {
      manifests.write('50-policy.yaml', flipPolicy(version));
      const truth = new PolicyTruth(folder);
      for (const flow of flipFlows()) {
        const from = addresses[flow.address.includes(':') ? 1 : 0] ?? '';
        const transport = flow.kind === 'udp' || flow.kind === 'new' ? 'udp' : 'tcp';
        const kind = { transport, port: flow.port } as const;
        const expected = truth.isAllowed({ name: 'client', addresses }, from, flow.address, kind);
        expect({ version, ...kind, isAllowed: flow.isAllowed(version) }).toEqual({
          version,
          ...kind,
          isAllowed: expected,
        });
      }
    }
  });
});

describe('FlipJudge', () => {
  const cases: readonly {
    readonly what: string;
    readonly version: number;
    readonly fate: Fate;
    readonly isWrong: boolean;
  }[] = [
    { what: 'takes what the version in force allows', version: 2, fate: 'came', isWrong: false },
    { what: 'takes it when what is denied is lost', version: 3, fate: 'lost', isWrong: false },
    { what: 'minds it when what is denied comes', version: 3, fate: 'came', isWrong: true },
    { what: 'minds it when what is denied comes late', version: 3, fate: 'late', isWrong: true },
    { what: 'minds it when what is allowed is lost', version: 2, fate: 'lost', isWrong: true },
  ];
  const even = {
    kind: 'udp',
    address: '10.66.0.2',
    port: 7201,
    isAllowed: (version: number) => version % 2 === 0,
  } as const;

  function judged(known: readonly number[], open: readonly number[], fate: Fate): number {
    const judge = new FlipJudge([even]);
    for (const version of known) {
      judge.timeline.write(version);
      judge.timeline.know(version);
    }
    for (const version of open) judge.timeline.write(version);
    // Later than anything that an earlier version could still answer for.
    const sentNs = monotonicNs() + 1e9;
    judge.judge({ flow: 0, fate, number: 0, sentNs, cameNs: sentNs + 1000 });
    return judge.judgement.wrong;
  }

  it.each(cases)('$what', ({ version, fate, isWrong }) => {
    expect(judged([version - 1, version], [], fate)).toBe(isWrong ? 1 : 0);
  });

  it.each(['came', 'lost'] as const)('takes what either version says while one may follow the other: %s', (fate) => {
    expect(judged([2], [3], fate)).toBe(0);
  });
});
