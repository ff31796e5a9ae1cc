// What a truth table says about probes that disagree with it.
import { describe, expect, it } from 'vitest';
import { describeDisagreements, type TruthOutcome, truthTable } from '../../../tools/lab/truth-table.ts';

function outcome(address: string, answer: TruthOutcome['answer'], expected: TruthOutcome['expected']): TruthOutcome {
  const request = { transport: 'tcp', address, port: 80 } as const;
  return { from: 'web', to: 'api', request, expected, answer, isAsExpected: expected.includes(answer.result) };
}

describe('describeDisagreements', () => {
  it('names the probe, what was found and what was expected', () => {
    const outcomes = [
      outcome('10.0.0.1', { result: 'open', ms: 1 }, ['open']),
      outcome('10.0.0.1', { result: 'timeout', ms: 1, detail: 'connected, but no echo' }, ['open']),
      outcome('fd00::1', { result: 'open', ms: 1 }, ['refused', 'timeout']),
    ];
    expect(describeDisagreements(outcomes)).toEqual([
      'web -> api tcp 10.0.0.1:80: found timeout (connected, but no echo), expected open',
      'web -> api tcp fd00::1 port 80: found open, expected refused or timeout',
    ]);
  });
});

describe('truthTable', () => {
  it('rejects a case from a peer that does not exist', async () => {
    const one = {
      from: 'nobody',
      to: 'api',
      request: { transport: 'icmp', address: '10.0.0.1' } as const,
      expected: ['open'] as const,
    };
    await expect(truthTable(new Map(), [one])).rejects.toMatchObject({ code: 'NOT_FOUND', target: 'nobody' });
  });
});
