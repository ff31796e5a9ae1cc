// Who is compared, and what each of them is given of one policy.
import { renderIptables, renderNftables } from '../analysis/render/render.ts';
import { DataplaneError } from '../base/errors.ts';
import type { DesiredState } from '../calc/resolved.ts';
import type { Decider } from './arena-spec.ts';
import { runCommand } from './command.ts';

/** `none` carries packets without asking anybody: what the others are compared with. */
export const COMPARED = ['none', 'tortie', 'iptables', 'nft-linear', 'nft-set'] as const;
export type ComparedName = (typeof COMPARED)[number];

/** One policy, as each needs it. */
export interface ComparedPolicy {
  readonly desired: DesiredState;
  /** Directory of manifests that `desired` is made of. */
  readonly manifests: string;
  readonly node: string;
}

/** Programs that must be there, with a question that each answers at once. */
const NEEDS: Readonly<Record<ComparedName, readonly (readonly string[])[]>> = {
  none: [],
  tortie: [],
  iptables: [
    ['iptables-restore', '--version'],
    ['ip6tables-restore', '--version'],
  ],
  'nft-linear': [['nft', '--version']],
  'nft-set': [['nft', '--version']],
};

/** Throws NOT_FOUND for a program that is missing, with the command that installs it. */
export async function requirePrograms(names: readonly ComparedName[]): Promise<void> {
  for (const name of names) {
    for (const argv of NEEDS[name]) {
      try {
        await runCommand(argv);
      } catch (cause) {
        const install = cause instanceof DataplaneError ? cause.hint : undefined;
        throw new DataplaneError('NOT_FOUND', 'is not installed', {
          operation: 'compare with',
          target: name,
          field: argv[0],
          hint: `${install ?? 'install it'}, or leave it out: --without ${name}`,
          cause,
        });
      }
    }
  }
}

/** Throws NOT_EXPRESSIBLE. */
export function deciderOf(name: ComparedName, { desired, manifests, node }: ComparedPolicy): Decider {
  switch (name) {
    case 'none':
      return { kind: 'none' };
    case 'tortie':
      return { kind: 'tortie', manifests, agentFlags: ['--node', node] };
    case 'iptables':
      return { kind: 'iptables', ...renderIptables(desired, { conntrack: false }) };
    case 'nft-linear':
      return { kind: 'nftables', text: renderNftables(desired, { style: 'linear', conntrack: false }) };
    case 'nft-set':
      return { kind: 'nftables', text: renderNftables(desired, { style: 'sets', conntrack: false }) };
  }
}
