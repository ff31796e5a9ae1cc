import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requirePrograms } from '../../../src/bench/compare-deciders.ts';

describe('programs that a comparison needs', () => {
  let path: string | undefined;

  beforeEach(() => {
    path = process.env.PATH;
    process.env.PATH = '/nonexistent';
  });

  afterEach(() => {
    process.env.PATH = path;
  });

  it.each([
    {
      name: 'iptables',
      program: 'iptables-restore',
      hint: 'apt-get install iptables, or leave it out: --without iptables',
    },
    { name: 'nft-set', program: 'nft', hint: 'apt-get install nftables, or leave it out: --without nft-set' },
  ] as const)('are named when $program is missing, with what installs it', async ({ name, program, hint }) => {
    await expect(requirePrograms([name])).rejects.toMatchObject({
      code: 'NOT_FOUND',
      target: name,
      field: program,
      hint,
    });
  });

  it('are none for deciders that come along', async () => {
    await expect(requirePrograms(['none', 'tortie'])).resolves.toBeUndefined();
  });
});
