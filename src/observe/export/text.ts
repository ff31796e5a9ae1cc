// Words that several formats share.
import type { FlowEnd, FlowLog } from '../flows/flow-log.ts';

/** `namespace/name`, or the address where there is no name; with the port where there is one. */
export function describeEnd(end: FlowEnd): string {
  const name = end.name === '' ? end.aggregatedName : end.name;
  const isNamed = end.type !== 'net' || end.address === '';
  const place = isNamed ? (end.namespace === '' ? name : `${end.namespace}/${name}`) : end.address;
  if (end.port === 0) return place;
  return !isNamed && place.includes(':') ? `[${place}]:${end.port}` : `${place}:${end.port}`;
}

/** One line for a person. */
export function describeFlow(log: FlowLog): string {
  const verdict = log.action === 'allow' ? 'allowed' : 'denied';
  const reason = log.reason === undefined ? '' : ` (${log.reason})`;
  return `${verdict} ${log.protocol} ${describeEnd(log.source)} -> ${describeEnd(log.destination)}${reason}`;
}

/** Which way packets went: to the flow's destination, and back. */
export interface Counts {
  readonly packets: number;
  readonly bytes: number;
}

/** From the flow's source to its destination, whichever end reports. */
export function forwardCounts({ reporter, packetsIn, packetsOut, bytesIn, bytesOut }: FlowLog): Counts {
  return reporter === 'dst' ? { packets: packetsIn, bytes: bytesIn } : { packets: packetsOut, bytes: bytesOut };
}

export function reverseCounts({ reporter, packetsIn, packetsOut, bytesIn, bytesOut }: FlowLog): Counts {
  return reporter === 'dst' ? { packets: packetsOut, bytes: bytesOut } : { packets: packetsIn, bytes: bytesIn };
}
