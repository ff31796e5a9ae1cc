import { describe, expect, it } from 'vitest';
import { checkInstructions, hasGrown } from '../../../bench/instructions-baseline.ts';
import { ENTRY, readVerifierLog } from '../../../bench/instructions-log.ts';
import { row } from './support/rows.ts';

const LOG = `libbpf: prog 'tt_one': -- BEGIN PROG LOAD LOG --
func#0 @0
Live regs before insn:
      0: .1........ (bf) r6 = r1
0: R1=ctx() R10=fp0
; int tt_one(struct __sk_buff *skb) @ one.bpf.c:9
0: (bf) r6 = r1                       ; R1=ctx() R6=ctx()
1: (85) call pc+3
Func#1 ('tt_slow') is global and assumed valid.
2: (95) exit
from 1 to 2: safe
Validating tt_slow() func#1...
5: (b7) r0 = 0                        ; R0=0
mark_precise: frame0: regs=r0 stack= before 5: (b7) r0 = 0
6: (95) exit
processed 6 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1 mark_read 0
-- END PROG LOAD LOG --
`;
const counted = (name: string, value: number) => row(name, { program: 'tt_one' }, value, { section: 'instructions' });
const HERE = { clang: 19, kernel: '6.18' };

describe('instruction counts', () => {
  it('are told apart by function in the verifier log, pruned ways included', () => {
    expect(readVerifierLog(LOG)).toEqual([
      {
        program: 'tt_one',
        processed: 6,
        functions: new Map([
          [ENTRY, 4],
          ['tt_slow', 2],
        ]),
      },
    ]);
  });

  it('are only those of whole programs when the log does not add up', () => {
    expect(readVerifierLog(LOG.replace('processed 6', 'processed 7'))).toEqual([
      { program: 'tt_one', processed: 7, functions: undefined },
    ]);
  });

  it.each([
    { now: 104, grown: 0 },
    { now: 106, grown: 1 },
    { now: 50, grown: 0 },
  ])('of $now where the baseline has 100 are $grown growth', ({ now, grown }) => {
    const baseline = { ...HERE, results: [counted('compiled', 100)] };
    const { compared } = checkInstructions([counted('compiled', now)], baseline, HERE);
    expect(compared.filter(hasGrown)).toHaveLength(grown);
  });

  it.each([
    { here: HERE, compared: ['compiled', 'verified'], notes: 0 },
    { here: { ...HERE, kernel: '6.12' }, compared: ['compiled'], notes: 1 },
    { here: { ...HERE, clang: 18 }, compared: [], notes: 1 },
  ])('are compared only with those of the same compiler and kernel: $here', ({ here, compared, notes }) => {
    const rows = [counted('compiled', 100), counted('verified', 100)];
    const check = checkInstructions(rows, { ...HERE, results: rows }, here);
    expect(check.compared.map(({ key }) => key.name)).toEqual(compared);
    expect(check.notes).toHaveLength(notes);
  });

  it('that cannot be had here are not missed', () => {
    const baseline = { ...HERE, results: [counted('compiled', 100), counted('verified', 100)] };
    const { compared } = checkInstructions([counted('compiled', 100)], baseline, HERE);
    expect(compared.map(({ change }) => change)).toEqual(['same']);
  });
});
