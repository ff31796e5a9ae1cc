// What we ship to be monitored by, held to what the agent has: names of metrics, alerts and their runbooks, commands.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../src/cli/command-list.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { findProject } from '../../../tools/lab/project.ts';
import { describeMetrics, metricsPage } from '../../../tools/metrics-page.ts';
import { allQueries, dashboards, rules } from '../../support/monitoring/queries.ts';
import { commandsOf, PROGRAMS, remediesOf, runbooks, spokenIn } from '../../support/monitoring/runbooks.ts';

const PROJECT = findProject();
const RUNBOOKS = 'file:///usr/share/doc/tortie/runbooks/';
/** Prometheus's own. */
const GIVEN = ['up', 'ALERTS'];
const SUFFIXES = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['_sum', '_count', ''],
  counter: [''],
  gauge: [''],
};

const alerts = rules(PROJECT).filter(({ alert }) => alert !== undefined);
const texts = runbooks(PROJECT);
const verbs = new Set(COMMANDS.map(({ usage }) => usage.split(' ')[0]));

function readable(): Set<string> {
  const names = describeMetrics().flatMap(({ name, type }) =>
    (SUFFIXES[type as keyof typeof SUFFIXES] ?? ['']).map((suffix) => name + suffix),
  );
  return new Set([...names, ...GIVEN, ...rules(PROJECT).flatMap(({ record }) => record ?? [])]);
}

/** Names of series in a query: what stands where one may. */
function namesIn(expr: string): string[] {
  const bare = expr.replaceAll(/\{[^}]*\}|"[^"]*"|\[[^\]]*\]/g, ' ').replaceAll(/\b(by|on|without) *\([^)]*\)/g, ' ');
  return [...bare.matchAll(/[a-zA-Z_][\w:]*(?! *\()/g)]
    .map(([name]) => name)
    .filter((name) => /^(tortie|instance|felix|process|nodejs|up$|ALERTS)/.test(name));
}

/** Those of a pipeline, without what the shell does to them. */
function tortieCommandsIn(line: string): string[] {
  return line
    .replace(/ {2,}.*$/, '')
    .replace(/ #.*$/, '')
    .split(' | ')
    .map((part) => part.replace(/^timeout \d+ /, '').replace(/ > .*$/, ''))
    .filter((part) => part.startsWith('tortie '));
}

/** What the parser has against it; undefined = nothing. */
async function complaintOf(line: string): Promise<string | undefined> {
  const [verb = '', ...rest] = line
    .slice('tortie '.length)
    .split(' ')
    // N stands for a number.
    .map((word) => (word === 'N' ? '1' : word.replaceAll(/^["']|["']$/g, '')));
  let command = (await createProgram(verb)).commands.find((one) => one.name() === verb);
  let words = rest;
  for (;;) {
    const below = command?.commands.find((one) => one.name() === words[0]);
    if (below === undefined) break;
    [command, words] = [below, words.slice(1)];
  }
  if (command === undefined) return `${line}: no such command`;
  const { unknown, operands } = command.parseOptions(words);
  const room = command.registeredArguments.some(({ variadic }) => variadic) ? 99 : command.registeredArguments.length;
  return unknown.length > 0 || operands.length > room ? `${line}: ${[...unknown, ...operands].join(' ')}` : undefined;
}

describe('what is monitored', () => {
  it('reads only what there is', () => {
    const known = readable();
    const unknown = allQueries(PROJECT).flatMap(({ where, expr }) =>
      namesIn(expr).flatMap((name) => (known.has(name) ? [] : [`${where}: ${name}`])),
    );
    expect(unknown).toEqual([]);
    const spoken = [...texts].flatMap(([name, text]) =>
      [...text.matchAll(/\btortie_\w+/g)].map(([word]) => [name, word] as const),
    );
    // A pattern of grep may be the beginning of several names.
    expect(spoken.filter(([, word]) => ![...known].some((name) => name.startsWith(word)))).toEqual([]);
  });

  it('is documented, metric by metric', () => {
    const [banner = ''] = readFileSync(join(PROJECT, 'docs/metrics.md'), 'utf8').match(/<!--.*-->\n/) ?? [];
    expect(readFileSync(join(PROJECT, 'docs/metrics.md'), 'utf8')).toBe(metricsPage(banner));
  });

  it('names metrics as the conventions have it', () => {
    const own = describeMetrics().filter(({ name }) => name.startsWith('tortie_'));
    const counters = own.filter(({ type }) => type === 'counter').map(({ name }) => name);
    expect(counters.filter((name) => !name.endsWith('_total'))).toEqual([]);
    const others = own.filter(({ type }) => type !== 'counter').map(({ name }) => name);
    expect(others.filter((name) => /_total$|_(ms|milliseconds|kb|percent)\b/.test(name))).toEqual([]);
  });

  it('has a runbook for each alert, and an alert for each runbook', () => {
    const linked = alerts.map(({ annotations = {} }) => annotations.runbook_url?.replace(RUNBOOKS, ''));
    expect(linked.sort()).toEqual([...texts.keys()].sort());
    for (const { alert, annotations = {} } of alerts) {
      const text = texts.get(String(annotations.runbook_url?.replace(RUNBOOKS, ''))) ?? '';
      expect(text.split('\n')[0]).toBe(`# ${alert}`);
      expect(commandsOf(text), alert).not.toEqual([]);
    }
  });

  it('says of each alert how urgent it is, and what it is one incident of', () => {
    for (const { alert, labels = {}, annotations = {} } of alerts) {
      expect([alert, ['page', 'ticket'].includes(String(labels.severity))]).toEqual([alert, true]);
      expect(texts.get(String(annotations.runbook_url?.replace(RUNBOOKS, '')))).toContain(
        `Severity: ${labels.severity}.`,
      );
      expect(labels.dedup_key).toMatch(/^tortie-[a-z-]+\/\{\{ \$labels\.instance \}\}(\/\{\{ \$labels\.[a-z]+ \}\})*$/);
    }
    expect(new Set(alerts.map(({ labels }) => labels?.dedup_key)).size).toBe(alerts.length);
  });

  it('knows every command of the runbooks', () => {
    const commands = [...texts.values()].flatMap((text) => [...commandsOf(text), ...remediesOf(text)]);
    const unknown = commands.filter((command) => {
      const [program = '', verb] = command.replace(/^timeout \d+ /, '').split(' ');
      return program === 'tortie' ? !verbs.has(verb) : !PROGRAMS.includes(program);
    });
    expect(unknown).toEqual([]);
  });

  it('has commands with options that there are, in blocks and in prose', async () => {
    const page = readFileSync(join(PROJECT, 'docs/observability.md'), 'utf8');
    const all = [...texts.values(), page].flatMap((text) => [...commandsOf(text), ...spokenIn(text)]);
    const ours = [...new Set(all.flatMap(tortieCommandsIn))];
    expect(ours.length).toBeGreaterThan(40);
    const wrong = (await Promise.all(ours.map(complaintOf))).filter((complaint) => complaint !== undefined);
    expect(wrong).toEqual([]);
  });

  it('draws dashboards in which no panel hides another', () => {
    const boards = dashboards(PROJECT);
    expect(new Set(boards.map(({ uid }) => uid)).size).toBe(3);
    for (const { panels, templating } of boards) {
      expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'instance']);
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
      );
      expect(new Set(cells).size).toBe(cells.length);
      expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
      expect(panels.filter(({ description }) => description === '')).toEqual([]);
    }
  });
});
