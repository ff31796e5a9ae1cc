// What tortie protect says besides the proposal itself: flows that would be denied, and what there is to do next.

import { formatEntry } from '../analysis/outcome.ts';
import type { DeniedFlow } from '../analysis/protect/preview.ts';
import { formatAddress, type IpAddress } from '../model/address.ts';
import { protocolName } from '../model/flow.ts';
import { formatTable } from './output.ts';

/** How a preview judged: said with its result. */
export interface PreviewScope {
  readonly seconds: number;
  readonly flows: number;
}

export function describePreview(denied: readonly DeniedFlow[], { seconds, flows }: PreviewScope): string {
  const how = `${flows} flows seen in ${seconds} s, judged outside the kernel by the reference evaluator; nothing was changed`;
  if (denied.length === 0) return `none would be denied: ${how}`;
  const rows = denied.map(({ flow, by }) => {
    const { direction, protocol, local, localPort, remote, remotePort, process } = flow;
    const service = `${protocolName(protocol)} ${direction === 'in' ? localPort : remotePort}`;
    const entry = by.trace.at(-1);
    return [
      direction === 'in' ? 'in from' : 'out to',
      formatAddress(remote),
      service,
      process ?? '-',
      place(local, localPort),
      entry === undefined ? by.stage : formatEntry(entry),
    ];
  });
  const table = formatTable(['FLOW', 'PEER', 'SERVICE', 'PROCESS', 'HERE', 'DENIED BY'], rows);
  return `${table}\n\n${denied.length} would be denied: ${how}`;
}

export function describeNext(confirm: string | undefined, expires: string | undefined): string {
  if (confirm === undefined) return 'in force; take it back with: tortie protect --undo';
  return [
    `in force, and undone at ${expires ?? `the end of ${confirm}`} unless you confirm it: try a NEW session from elsewhere first`,
    '  keep it:       tortie confirm',
    '  take it back:  tortie protect --undo',
  ].join('\n');
}

function place(address: IpAddress, port: number): string {
  return address.family === 6 ? `[${formatAddress(address)}]:${port}` : `${formatAddress(address)}:${port}`;
}
