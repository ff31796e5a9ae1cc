// What becomes of new TCP connections, for people to read.
import { readFileSync } from 'node:fs';
import type { GuardDrops } from '../../kernel/guard-object.ts';

export interface SynStatus {
  /** The setting. */
  readonly protection: string;
  /** SYNs a second from one source; 0 = any number. */
  readonly sourceRate: number;
  /** SYNs a second that the stack gets for one listening socket. */
  readonly listenerRate: number;
  /** Where they are counted. */
  readonly interfaces: readonly string[];
  /** Why none is answered with a cookie; null = they are. */
  readonly lack: string | null;
  /** SYNs that were dropped because their source had sent too many. */
  readonly limited: GuardDrops;
  /** SYNs that were answered with a cookie. */
  readonly answered: GuardDrops;
}

const SYSCTL = '/proc/sys/net/ipv4/tcp_syncookies';

/** `hasHelpers` = the kernel lets the guard ask for cookies. */
export function cookieLack(
  hasHelpers: boolean,
  read: () => string = () => readFileSync(SYSCTL, 'utf8'),
): string | null {
  if (!hasHelpers) return 'SYN cookies need Linux 5.18: connections are counted by source only';
  return read().trim() === '0' ? 'net.ipv4.tcp_syncookies is 0: connections are counted by source only' : null;
}
