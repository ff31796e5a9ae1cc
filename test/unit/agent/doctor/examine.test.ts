import { describe, expect, it } from 'vitest';
import { CHECKS } from '../../../../src/agent/doctor/checks.ts';
import { examine } from '../../../../src/agent/doctor/examine.ts';
import { ok } from '../../../../src/agent/doctor/finding.ts';
import { machineWith } from '../../../support/agent/machine-facts.ts';

describe('examine', () => {
  it('goes on after a check that breaks, and says so', async () => {
    const broken = {
      id: 'broken',
      checked: 'x',
      run: () => {
        throw new Error('no such thing');
      },
    };
    const findings = await examine([broken, { id: 'well', checked: 'y', run: () => ok('all') }], machineWith());
    expect(findings).toEqual([
      { id: 'broken', checked: 'x', level: 'skip', found: 'could not be looked at: no such thing' },
      { id: 'well', checked: 'y', level: 'ok', found: 'all' },
    ]);
  });

  it('has an id for each check that no other has', () => {
    const ids = CHECKS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
