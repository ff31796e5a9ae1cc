// On which guarded interfaces more is asked than the source: those whose frames end in the host's own stack under their own name.
// Not parts of a bridge or bond, nor what VLANs and virtual cards stand on: their frames are for others too. Pure.
import type { CaredInterface } from '../../kernel/guard-care.ts';
import type { NetworkLink } from '../../kernel/native.ts';

export interface CareQuestion {
  /** Whether untracked policy judges what comes in there. */
  readonly hasUntracked: (ifindex: number) => boolean;
  readonly countsSyns: boolean;
}

/** `guarded` = numbers of interfaces that have the program. */
export function careOf(
  links: readonly NetworkLink[],
  guarded: ReadonlySet<number>,
  { hasUntracked, countsSyns }: CareQuestion,
): CaredInterface[] {
  return links
    .filter((link) => guarded.has(link.ifindex) && isPlain(link, links))
    .map(({ ifindex, name, mac, mtu }) => ({ ifindex, name, mac, mtu, asksLists: hasUntracked(ifindex), countsSyns }))
    .filter(({ asksLists }) => asksLists || countsSyns);
}

/** Whether all untagged frames to its own address are for the host, and said to have come in by it. */
export function isPlain(link: NetworkLink, links: readonly NetworkLink[]): boolean {
  return link.mac !== '' && link.master === 0 && !links.some(({ lower }) => lower === link.ifindex);
}

/** A veth sends frames back only to an end that takes them in batches, which it seldom does: generic mode always can. */
export function needsGeneric({ kind }: NetworkLink, countsSyns: boolean): boolean {
  return countsSyns && kind === 'veth';
}
