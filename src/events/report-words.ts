// The verdict words that reports of the flow ledger speak of, without the rest of them.
import { FlowReport } from '../abi/flow.gen.ts';

const { OFFSET, SIZE } = FlowReport;
const WORDS = [OFFSET.egress_word, OFFSET.ingress_word, OFFSET.host_word];

/** Each once. Throws RangeError if the reports are not whole. */
export function wordsOfReports(reports: Uint8Array): Set<number> {
  const view = new DataView(reports.buffer, reports.byteOffset, reports.byteLength);
  const words = new Set<number>();
  for (let at = 0; at < reports.byteLength; at += SIZE) {
    for (const offset of WORDS) words.add(view.getUint32(at + offset, true));
  }
  return words;
}
