// How much work and memory one compile may cost, whatever the policy is. The sizes of the kernel's arrays are in
// TableSizes (compiler.ts).
import { limitExceeded } from '../base/limit-error.ts';

export interface TableLimits {
  /** Classes of addresses; every policy list has a word for each. */
  readonly addressClasses: number;
  /** Pairs of a prefix and a set that it is in, those that it inherits from wider prefixes included. */
  readonly prefixSets: number;
  /** Classes of (protocol, destination port) and (ICMP type, code); every row has a word for each. */
  readonly l4Classes: number;
  /** Classes of source ports; a list with source ports is compiled once for each. */
  readonly sourcePortClasses: number;
  /** Ranges of ports that a set covers, summed over all sets, where no other set's edge divides them further. */
  readonly portRanges: number;
  /** Words of bit sets and rows that are looked at to find what each rule decides. */
  readonly rowWords: number;
  /** Ways through the tiers to a decision, each of which has a trace of its own. */
  readonly traceIds: number;
  /** Words of regions that are made, those that are there already included. */
  readonly regionWords: number;
}

export const DEFAULT_TABLE_LIMITS: TableLimits = {
  addressClasses: 262_144,
  prefixSets: 16_000_000,
  l4Classes: 131_072,
  sourcePortClasses: 256,
  portRanges: 200_000_000,
  rowWords: 400_000_000,
  traceIds: 500_000,
  regionWords: 500_000_000,
};

interface Wording {
  readonly setting: string;
  readonly what: string;
  readonly unit: string;
}

const WORDING: Readonly<Record<keyof TableLimits, Wording>> = {
  addressClasses: { setting: 'address-classes', what: 'sets of addresses overlap in too many ways', unit: 'classes' },
  prefixSets: { setting: 'prefix-sets', what: 'too many sets contain too many prefixes', unit: 'pairs' },
  l4Classes: { setting: 'l4-classes', what: 'rules tell too many ports apart', unit: 'classes' },
  sourcePortClasses: {
    setting: 'source-port-classes',
    what: 'rules tell too many source ports apart',
    unit: 'classes',
  },
  portRanges: { setting: 'port-ranges', what: 'too many rules have too many overlapping ports', unit: 'ranges' },
  rowWords: { setting: 'row-words', what: 'too many rules concern too many peers', unit: 'words' },
  traceIds: { setting: 'trace-ids', what: 'rules lead to decisions in too many ways', unit: 'ways' },
  regionWords: { setting: 'region-words', what: 'too many lists of rules concern too many peers', unit: 'words' },
};

/** Throws LIMIT_EXCEEDED when `found` is more than the limit. */
export function requireWithin(name: keyof TableLimits, found: number, limits: TableLimits): void {
  if (found <= limits[name]) return;
  const { setting, what, unit } = WORDING[name];
  throw limitExceeded(what, {
    operation: 'compile',
    target: 'policy',
    found: `${found} ${unit}`,
    limit: limits[name],
    setting,
  });
}
