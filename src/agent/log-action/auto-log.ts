// Where lines of Log rules go unless somebody says so.
import { existsSync } from 'node:fs';
import type { TargetKind } from '../export/target-options.ts';

export const PACKET_LOG_KINDS: readonly TargetKind[] = ['journald', 'syslog', 'file'];
/** The journal of this machine, else its syslog, else nothing. */
export const AUTO_LOG = 'auto';

const JOURNAL = '/run/systemd/journal/socket';
const LOCAL_SYSLOG = '/dev/log';

/** URLs as parseTargets takes them. */
export function resolveAuto(written: string, isThere: (path: string) => boolean = existsSync): string {
  if (written !== AUTO_LOG) return written;
  if (isThere(JOURNAL)) return `journald:${JOURNAL}`;
  return isThere(LOCAL_SYSLOG) ? `syslog+unix://${LOCAL_SYSLOG}#facility=kern` : '';
}
