import { expect, it } from 'vitest';
import { FlowReport } from '../../../src/abi/flow.gen.ts';
import { wordsOfReports } from '../../../src/events/report-words.ts';

it('has every word of every report once', () => {
  const reports = new Uint8Array(3 * FlowReport.SIZE + 8).subarray(8);
  const view = new DataView(reports.buffer, reports.byteOffset);
  const { egress_word, ingress_word, host_word } = FlowReport.OFFSET;
  view.setUint32(egress_word, 0x80000001, true);
  view.setUint32(FlowReport.SIZE + ingress_word, 2, true);
  view.setUint32(2 * FlowReport.SIZE + host_word, 3, true);
  view.setUint32(2 * FlowReport.SIZE + egress_word, 2, true);
  expect([...wordsOfReports(reports)].sort((a, b) => a - b)).toEqual([0, 2, 3, 0x80000001]);
  expect(() => wordsOfReports(reports.subarray(0, FlowReport.SIZE + 1))).toThrow(RangeError);
});
