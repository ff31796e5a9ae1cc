// Which interfaces are to be guarded: those that the setting names, or those with a default route. Never loopback, never a
// workload's. No kernel: how the program gets there is kernel/guard-links.ts.

import type { ReadFile } from '../ssh-connection.ts';
import { defaultRoutesV4, defaultRoutesV6, vlanParents } from './network-files.ts';

export interface InterfaceFacts {
  readonly name: string;
  readonly ifindex: number;
}

export interface GuardChoice<T extends InterfaceFacts> {
  readonly wanted: readonly T[];
  /** Why there are none; undefined = there are. */
  readonly lack: string | undefined;
}

/** Instead of patterns: interfaces with a default route, while something is blocked. */
export const AUTO = 'auto';

export interface Surroundings<T extends InterfaceFacts> {
  readonly isWorkload: (name: string) => boolean;
  /** It is guarded already. */
  readonly isGuarded: (link: T) => boolean;
  readonly read: ReadFile;
  /** Something is done there that concerns it alone, whatever its routes. None unless given. */
  readonly isAskedFor?: (link: T) => boolean;
  /** Something is done that concerns whoever comes from outside. It is, unless told otherwise. */
  readonly coversOutside?: boolean;
}

/**
 * `setting` = patterns separated by commas, with * for any characters, or AUTO; '' = none. With AUTO an interface stays guarded when
 * its default route goes: routes come and go with every lease, and more than ever under attack.
 */
export function chooseInterfaces<T extends InterfaceFacts>(
  setting: string,
  links: readonly T[],
  { isWorkload, isGuarded, read, isAskedFor = () => false, coversOutside = true }: Surroundings<T>,
): GuardChoice<T> {
  if (setting === '') return { wanted: [], lack: 'the setting guardInterfaces is empty' };
  const isNamed = setting === AUTO ? hasDefaultRoute(read) : matcher(setting);
  const isMeant = (link: T): boolean => {
    if (setting !== AUTO) return isNamed(link.name);
    return isAskedFor(link) || (coversOutside && (isNamed(link.name) || isGuarded(link)));
  };
  const named = links.filter((link) => link.name !== 'lo' && isMeant(link));
  const wanted = named.filter(({ name }) => !isWorkload(name));
  if (wanted.length > 0) return { wanted, lack: undefined };
  if (named.length > 0) {
    return { wanted, lack: `${named.map(({ name }) => name).join(', ')}: workloads' interfaces are not guarded` };
  }
  if (setting === AUTO && !coversOutside) return { wanted, lack: undefined };
  const what =
    setting === AUTO ? 'has a default route: name interfaces in the setting guardInterfaces' : `is named ${setting}`;
  return { wanted, lack: `no interface ${what}` };
}

function matcher(setting: string): (name: string) => boolean {
  const patterns = setting.split(',').map((pattern) => {
    const literal = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
    return new RegExp(`^${literal}$`);
  });
  return (name) => patterns.some((pattern) => pattern.test(name));
}

/** A VLAN's frames come in at the interface below it, which sees them with their tags. */
function hasDefaultRoute(read: ReadFile): (name: string) => boolean {
  const parents = vlanParents(read('/proc/net/vlan/config') ?? '');
  const routes = [
    ...defaultRoutesV4(read('/proc/net/route') ?? ''),
    ...defaultRoutesV6(read('/proc/net/ipv6_route') ?? ''),
  ];
  const names = new Set(routes.map(({ interfaceName }) => bottomOf(interfaceName, parents)));
  return (name) => names.has(name);
}

function bottomOf(name: string, parents: ReadonlyMap<string, string>): string {
  const parent = parents.get(name);
  return parent === undefined ? name : bottomOf(parent, parents);
}
