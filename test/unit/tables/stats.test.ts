import { describe, expect, it } from 'vitest';
import { cidrOf } from '../../../src/model/address.ts';
import { PROTOCOL } from '../../../src/model/flow.ts';
import { TableCompiler } from '../../../src/tables/compiler.ts';
import { tableStats } from '../../../src/tables/stats.ts';
import { HandMadeState, listOf, ruleOf } from './hand-made.ts';

const RULES = 10;

function stateOf(endpoints: number): HandMadeState {
  const state = new HandMadeState();
  const egress = Array.from({ length: RULES }, (_, index) => {
    state.put(cidrOf({ family: 4, words: [0x0a00_0000 + 256 * index] }, 24), index + 1);
    return ruleOf(index, { protocol: PROTOCOL.TCP, destination: { within: [index + 1], without: [] } });
  });
  const lists = [listOf('ingress', []), listOf('egress', [{ name: 'p', rules: { version: 1, ingress: [], egress } }])];
  const [ingress, outwards] = lists as [(typeof lists)[0], (typeof lists)[0]];
  for (let number = 0; number < endpoints; number += 1) state.setEndpoint(`e${number}`, ingress, outwards);
  return state;
}

describe('sizes of tables', () => {
  it('share the bytes in use among rules, endpoints and classes of addresses', () => {
    const compiler = new TableCompiler();
    const { counts, arrays, bytesPer } = tableStats(compiler.compile(stateOf(3)), compiler);
    const usedBytes = arrays.reduce((sum, array) => sum + array.usedBytes, 0);
    expect(counts).toMatchObject({ endpoints: 3, policyLists: 2, rules: RULES, addressClasses: RULES + 2 });
    expect(usedBytes).toBe(4 * (compiler.heap.regionWords + compiler.v6Nodes.regionWords));
    expect(bytesPer).toEqual({
      rule: usedBytes / RULES,
      endpoint: usedBytes / 3,
      addressClass: usedBytes / (RULES + 2),
    });
  });

  it('are shared by nothing where there is nothing', () => {
    const compiler = new TableCompiler();
    const { counts, bytesPer } = tableStats(compiler.compile(stateOf(0)), compiler);
    expect(counts).toMatchObject({ endpoints: 0, policyLists: 0, rules: 0 });
    expect(bytesPer).toMatchObject({ rule: 0, endpoint: 0 });
  });

  it('forget the rules of lists that are gone', () => {
    const compiler = new TableCompiler();
    const state = stateOf(1);
    compiler.compile(state);
    state.endpoints.clear();
    expect(compiler.compile(state).counts).toMatchObject({ policyLists: 0, rules: 0 });
  });
});
