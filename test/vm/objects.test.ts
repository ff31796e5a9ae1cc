// Every object that is shipped passes this kernel's verifier, in the shape that this kernel gets; what that took is printed.
import { expect, it } from 'vitest';
import { Guard } from '../../src/kernel/guard.ts';
import { GuardTable } from '../../src/kernel/guard-table.ts';
import { builtFile, loadNative } from '../../src/kernel/native.ts';
import { DEFAULT_MAP_SIZES, loadObject } from '../../src/kernel/object.ts';
import { formatProbe, formatVerified, type Verified } from '../../tools/vm/tier/results.ts';

const { BpfObject, probeFeatures } = loadNative();

/** One program's part of libbpf's messages; 5.10 tells these numbers nowhere else. */
const LOAD_LOG = /prog '(\S+)': -- BEGIN PROG LOAD LOG --[\s\S]*?processed (\d+) insns .*? total_states (\d+)/g;

it('is asked what it has', () => {
  const { release, ...features } = probeFeatures();
  console.info(formatProbe(features));
  expect(release).not.toBe('');
});

it('takes the workload programs with maps of the default size', () => {
  const object = loadObject('workload', DEFAULT_MAP_SIZES, undefined);
  expect(object.programs).toContain('tt_from_work');
  object.close();
});

it('takes the guard', () => {
  const guard = new Guard({ blocks: 64 });
  expect(guard.run(new Uint8Array(64)).returnValue).toBe(2);
  guard.close();
});

it('takes the guard that follows changes, for frames of several buffers where it knows them', () => {
  const table = new GuardTable();
  expect(table.program.testRun({ data: new Uint8Array(64) }).returnValue).toBe(2);
  table.close();
});

it.each(['workload', 'host', 'bridge', 'guard', 'flow-logs', 'traffic', 'bench', 'bench/xdp'])(
  'takes every program of %s',
  (name) => {
    const object = BpfObject.open(builtFile(`build/bpf/${name}.bpf.o`), { logLevel: 4 });
    const { programs, log } = object;
    object.close();
    const verified = [...log.matchAll(LOAD_LOG)].map(([, program, instructions, states]): Verified => {
      return { object: name, program: String(program), instructions: Number(instructions), states: Number(states) };
    });
    for (const one of verified) console.info(formatVerified(one));
    expect(verified.map(({ program }) => program)).toEqual(programs);
  },
);
