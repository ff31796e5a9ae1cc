// Policy for other packet filters: rule sets that judge every flow as Tortie does, where the target can say it.
// The door to this folder. Pure: text out, nothing loaded.
import { DataplaneError } from '../../base/errors.ts';
import type { DesiredState } from '../../calc/resolved.ts';
import type { Family } from '../../model/address.ts';
import { filterProgram, type ProgramOptions } from './filter-program.ts';
import { checkForIptables, iptablesText } from './iptables-text.ts';
import type { RuleStyle } from './list-chains.ts';
import { nftablesText } from './nftables-text.ts';
import type { FilterProgram, FilterRule } from './program.ts';
import { SetMembers } from './set-members.ts';

export interface RenderOptions {
  /** Let packets of known connections pass first; otherwise every packet is judged as the first of a connection. */
  readonly conntrack: boolean;
}

export interface NftablesOptions extends RenderOptions {
  readonly style: RuleStyle;
}

/** '' = no endpoint is judged in that family, or it was not asked for. */
export interface IptablesRules {
  /** For iptables-restore. */
  readonly ipv4: string;
  /** For ip6tables-restore. */
  readonly ipv6: string;
}

/** The kernel refuses nftables rules whose chains call each other more deeply (NFT_JUMP_STACK_SIZE). */
const MAX_DEPTH = 15;

/** The rules of every local endpoint for iptables, one value to a match. Throws NOT_EXPRESSIBLE. */
export function renderIptables(
  desired: DesiredState,
  { conntrack }: RenderOptions,
  families: readonly Family[] = [4, 6],
): IptablesRules {
  const members = new SetMembers(desired.prefixes.values());
  const textOf = (family: Family): string => {
    if (!families.includes(family)) return '';
    const options: ProgramOptions = { style: 'linear', conntrack };
    return iptablesText(checkedDepth(filterProgram(desired, family, members, options, checkForIptables(family))));
  };
  return { ipv4: textOf(4), ipv6: textOf(6) };
}

/** The rules of every local endpoint for `nft -f`; '' = no endpoint is judged. Throws NOT_EXPRESSIBLE. */
export function renderNftables(desired: DesiredState, options: NftablesOptions): string {
  const members = new SetMembers(desired.prefixes.values());
  const textOf = (family: Family): string =>
    nftablesText(checkedDepth(filterProgram(desired, family, members, options, () => undefined)));
  return [textOf(4), textOf(6)].filter((text) => text !== '').join('\n');
}

function checkedDepth(program: FilterProgram): FilterProgram {
  const chains = new Map(program.chains.map((chain) => [chain.name, chain]));
  const depths = new Map<string, number>();
  const depthOf = (rules: readonly FilterRule[]): number =>
    rules.reduce((depth, rule) => Math.max(depth, 1 + deepest(rule)), 0);
  const deepest = ({ action }: FilterRule): number => {
    if (action.kind === 'dispatch') {
      return [...action.chains.values()].reduce((depth, { chain }) => Math.max(depth, chainDepth(chain)), 0);
    }
    return action.kind === 'jump' || action.kind === 'goto' ? chainDepth(action.chain) : -1;
  };
  const chainDepth = (name: string): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    const depth = depthOf(chains.get(name)?.rules ?? []);
    depths.set(name, depth);
    return depth;
  };
  const depth = depthOf(program.forward);
  if (depth <= MAX_DEPTH) return program;
  throw new DataplaneError('NOT_EXPRESSIBLE', 'tiers that pass to each other nest too deeply', {
    operation: 'render',
    target: 'policy',
    found: `${depth} chains`,
    expected: `at most ${MAX_DEPTH}`,
    hint: 'the kernel limits how deeply chains may call each other: use fewer tiers',
  });
}
