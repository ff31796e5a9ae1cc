// How much memory a flow log takes while it waits.
import type { FlowEnd, FlowLog } from '../../observe/flows/flow-log.ts';

/** Of the object and its fields, without its texts. */
const BASE_BYTES = 600;
/** Of an entry of a list or a mapping. */
const ENTRY_BYTES = 48;

/** About; as if it shared nothing with other flow logs. */
export function sizeOfFlow(log: FlowLog): number {
  let bytes = BASE_BYTES + sizeOfEnd(log.source) + sizeOfEnd(log.destination);
  for (const entry of log.enforced) bytes += ENTRY_BYTES + entry.length;
  for (const entry of log.pending) bytes += ENTRY_BYTES + entry.length;
  return bytes;
}

function sizeOfEnd({ labels, name, aggregatedName, namespace, address }: FlowEnd): number {
  let bytes = name.length + aggregatedName.length + namespace.length + address.length;
  for (const key in labels) bytes += ENTRY_BYTES + key.length + (labels[key] as string).length;
  return bytes;
}
