// Names and labels by people who mean harm, in everything that is written of a flow: they stay text, on the line and in the field
// that they are in.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEntry } from '../../../src/agent/export/sinks/journal-sink.ts';
import { formatDrop } from '../../../src/cli/commands/drops.ts';
import { formatRecord } from '../../../src/cli/commands/monitor.ts';
import { CSV_HEADER, csvRow } from '../../../src/cli/flows-csv.ts';
import { formatDot } from '../../../src/cli/flows-graph.ts';
import { hubbleFlow } from '../../../src/cli/flows-hubble.ts';
import { drawGraph } from '../../../src/cli/flows-svg.ts';
import { FlowTable } from '../../../src/cli/flows-text.ts';
import { visibleJson } from '../../../src/cli/hostile-text.ts';
import { formatPacket } from '../../../src/observe/export/log-action.ts';
import { encodeOtlpLogs } from '../../../src/observe/export/otlp-logs.ts';
import { flowToSyslog } from '../../../src/observe/export/syslog.ts';
import type { FlowRecord } from '../../../src/observe/flow-record.ts';
import type { FlowEnd, FlowLog } from '../../../src/observe/flows/flow-log.ts';
import { FLOW_LOG } from '../../support/export/flow-logs.ts';
import { newSeed } from '../../support/worlds/questions.ts';

const PARTS = [
  '"',
  "'",
  '\\',
  '\n',
  '\r\n',
  '\t',
  '\0',
  '\u001b[2J',
  '\u001b]0;x\u0007',
  '\u202e',
  '\u2028',
  '\u2029',
  '\u200b',
  '\ud800',
  '\u0085',
  '=cmd|calc',
  '+1',
  '@x',
  '-1',
  ',',
  ';',
  '|',
  '%n',
  '$(x)',
  '<script>',
  ']]>',
  '&amp;',
  '</svg>',
  '[',
  ']',
  '{',
  '}',
  ' ',
  ' VERDICT=allow',
  '<13>1 forged',
  'ä',
  '🐈',
  'app',
  '__proto__',
  'constructor',
  'x'.repeat(70),
];
const hostile = fc.array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
const endWith = (end: FlowEnd): fc.Arbitrary<FlowEnd> =>
  fc
    .record({ namespace: hostile, name: hostile, labels: fc.array(fc.tuple(hostile, hostile), { maxLength: 4 }) })
    .map(({ namespace, name, labels }) => ({
      ...end,
      namespace,
      name,
      aggregatedName: name,
      labels: Object.fromEntries(labels),
    }));
const flow: fc.Arbitrary<FlowLog> = fc
  .record({
    source: endWith(FLOW_LOG.source),
    destination: endWith(FLOW_LOG.destination),
    node: hostile,
    reason: hostile,
    enforced: fc.array(hostile, { maxLength: 3 }),
  })
  .map((some) => ({ ...FLOW_LOG, ...some }));

/** Nothing that acts: on a terminal, in a log, on the direction of text. */
const ACTING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/u;
const seed = newSeed('hostile labels');

function always(check: (log: FlowLog) => void): void {
  fc.assert(fc.property(flow, check), { seed, numRuns: 300 });
}

/** As a program reads RFC 4180. */
function cellsOf(row: string): string[] {
  return [...row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '',
  );
}

describe('hostile names and labels', () => {
  it('are the same values to whoever reads JSON, and act on no terminal', () => {
    always((log) => {
      for (const value of [log, hubbleFlow(log)]) {
        const line = visibleJson(value);
        expect(line).not.toMatch(ACTING);
        expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)));
      }
      expect(new FlowTable(true).add([log]).join('')).not.toMatch(ACTING);
    });
  });

  it('are text in the report of a packet', () => {
    always(({ source, destination, reason = '', enforced }) => {
      const record: FlowRecord = {
        time: '2026-01-31T12:00:00.000Z',
        kind: 'denied',
        reason,
        interface: source.namespace,
        hook: 'to_workload',
        source: '10.0.0.1',
        sourceEndpoint: source.name,
        destination: '10.0.0.2',
        destinationEndpoint: `${destination.namespace}/${destination.name}`,
        protocol: 'TCP',
        sourcePort: 1,
        destinationPort: 2,
        ingress: { verdict: 'deny', trace: enforced },
        generation: 1,
        length: 60,
      };
      expect(formatRecord(record)).not.toMatch(ACTING);
      expect(formatDrop(record)).not.toMatch(ACTING);
    });
  });

  it('stay in their cell, and no spreadsheet takes one for a formula', () => {
    const columns = CSV_HEADER.split(',').length;
    always((log) => {
      const row = csvRow(log);
      expect(row).not.toMatch(ACTING);
      const cells = cellsOf(row);
      expect(cells.length).toBe(columns);
      expect(cells.filter((cell) => /^\s*[=+@|%]|^\s*-(?!\d)/.test(cell))).toEqual([]);
    });
  });

  it('are one line of ASCII in syslog, which says the same', () => {
    always((log) => {
      const line = flowToSyslog(log, { facility: 'local0', host: log.node, process: 1 });
      expect(line).toMatch(/^<\d+>1 \S+ \S{1,255} tortie 1 flow - [\x20-\x7e]+$/);
      const said = JSON.parse(line.slice(line.indexOf(' - {') + 3)) as FlowLog;
      expect(said.source.labels).toEqual(JSON.parse(JSON.stringify(log.source.labels)));
    });
  });

  it('are text to OTLP', () => {
    always((log) => {
      const { resourceLogs } = JSON.parse(encodeOtlpLogs([log], { node: log.node, version: '1' }, 0));
      const [{ attributes }] = resourceLogs[0].scopeLogs[0].logRecords;
      const named = attributes.find(({ key }: { key: string }) => key === 'tortie.source.name');
      expect(named.value).toEqual({ stringValue: JSON.parse(JSON.stringify(log.source.name)) });
    });
  });

  it('end no field of a line of the action Log, nor of a journal entry', () => {
    always(({ source, destination }) => {
      const packet = { IN: source.name, PROTO: 'TCP', VERDICT: 'deny', SRCEP: destination.name };
      const line = formatPacket(packet);
      expect(line).not.toMatch(ACTING);
      expect(line.split(' ').length).toBe(4);
      expect(line.split(' ').filter((word) => word.startsWith('VERDICT='))).toEqual(['VERDICT=deny']);
      const entry = encodeEntry({ MESSAGE: source.name, TORTIE_VERDICT: 'deny' }).toString();
      if (source.name.includes('\n')) expect(entry).toMatch(/^MESSAGE\n/);
      expect(entry.endsWith('TORTIE_VERDICT=deny\n')).toBe(true);
    });
  });

  it('are text in a graph', () => {
    always((log) => {
      const [source, destination] = [log.source.name, log.destination.name];
      const sums = { bytes: 1, packets: 1, flows: 1, denied: 0 };
      const graph = {
        nodes: [source, destination].map((name) => ({ name, type: 'wep' })),
        edges: [{ source, destination, protocol: 'TCP', port: 1, ...sums }],
      };
      const svg = drawGraph(graph as Parameters<typeof drawGraph>[0]);
      expect(svg.replaceAll('\n', '')).not.toMatch(ACTING);
      expect(svg).not.toMatch(/<script|<\/svg>[\s\S]*<\/svg>|&amp;amp;/);
      const dot = formatDot(graph as Parameters<typeof formatDot>[0]);
      expect(dot.replaceAll('\n', '')).not.toMatch(ACTING);
      // Outside of quoted strings there is nothing of theirs.
      expect(dot.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')).not.toMatch(/script|calc|forged|svg/);
    });
  });
});
