// doNotTrack policies that let packets through one way only: replies to them are nobody's.
import type { HostEndpoint } from '../../../model/endpoint.ts';
import { DIRECTIONS, type Direction, type Policy } from '../../../model/policy.ts';
import { findingAbout, type LintContext } from '../context.ts';
import type { Finding } from '../finding.ts';
import { listSome } from '../wording.ts';

export function checkUntracked({ owners, inventory }: LintContext): Finding[] {
  const policies = owners.flatMap(({ object, resource }) =>
    object.type === 'policy' && object.doNotTrack ? [{ policy: object, resource }] : [],
  );
  const hostsOf = new Map(
    policies.map(({ policy }) => [
      policy,
      inventory
        .selected(policy.selector)
        .map(({ object }) => object)
        .filter((object) => object.type === 'hostEndpoint'),
    ]),
  );
  /** Staged policies answer for each other only: they are not in force. */
  const isAnswered = (host: HostEndpoint, { staged }: Policy, direction: Direction): boolean =>
    policies.some(
      ({ policy }) => (staged || !policy.staged) && allows(policy, direction) && hostsOf.get(policy)?.includes(host),
    );
  return policies.flatMap(({ policy, resource }) =>
    DIRECTIONS.flatMap((direction) => {
      if (!allows(policy, direction)) return [];
      const reverse = direction === 'ingress' ? 'egress' : 'ingress';
      const silent = (hostsOf.get(policy) ?? []).filter((host) => !isAnswered(host, policy, reverse));
      if (silent.length === 0) return [];
      const names = listSome(silent.map(({ name }) => `hostendpoint/${name}`));
      const message = `allows ${direction} without tracking, but no doNotTrack policy of ${names} allows ${reverse}: replies are judged as packets of their own`;
      const hint = `allow the replies in ${reverse} of a doNotTrack policy, by their source ports`;
      return [findingAbout(resource, 'untracked-without-reverse', message, { path: ['spec', direction], hint })];
    }),
  );
}

function allows({ governs, rules }: Policy, direction: Direction): boolean {
  return governs[direction] && rules[direction].some(({ action }) => action === 'allow');
}
