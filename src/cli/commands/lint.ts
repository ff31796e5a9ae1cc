// tortie lint: what in the manifests is without effect, unintended or refused, for people, editors and CI.
import { type Command, Option } from 'commander';
import { readLiveManifests } from '../../agent/live-manifests.ts';
import { VERSION } from '../../agent/version.ts';
import { isRuleId, LINT_RULES, RULE_IDS } from '../../analysis/lint/catalogue.ts';
import type { Finding, LintReport } from '../../analysis/lint/finding.ts';
import { lintManifests } from '../../analysis/lint/lint.ts';
import { toSarif } from '../../analysis/lint/sarif.ts';
import { isAtLeast, SEVERITIES, type Severity } from '../../analysis/lint/severity.ts';
import { DataplaneError } from '../../base/errors.ts';
import { nearestName } from '../../resources/nearest.ts';
import type { ResourceSnapshot } from '../../resources/sources/snapshot.ts';
import { askAgent } from '../agent-client.ts';
import { EXIT } from '../exit-codes.ts';
import { readInterfaceFile } from '../host-interfaces.ts';
import { fileUri, readManifestPaths } from '../manifest-paths.ts';
import { manifestsOption, nodeOption, socketOption } from '../options.ts';
import { formatTable, OUTPUT_FORMATS, type OutputFormat, paint, print, printData } from '../output.ts';

interface LintFlags {
  readonly manifests: string;
  readonly live?: boolean;
  readonly socket: string;
  readonly output: OutputFormat | 'sarif';
  readonly failOn: Severity | 'never';
  readonly rules?: boolean;
  readonly explain?: string;
  readonly interfaces?: string;
  readonly node: string;
}

const HELP = `
Exit codes of lint:
  0  nothing at or above --fail-on
  1  findings at or above --fail-on that are not suppressed
  3  some manifests were refused; they are findings too, the rest was analysed

A finding is suppressed by an annotation on its object, with a reason:
  lint.tortie.dev/ignore: "redundant-rule: kept as documentation; dns-blocked: uses addresses only"

All rules are explained in docs/lint.md, and by: tortie lint --rules, tortie lint --explain RULE`;

export function fillLintCommand(command: Command): void {
  command
    .addOption(manifestsOption())
    .addOption(new Option('--live', 'what the running agent enforces, its store included, instead of files'))
    .addOption(socketOption())
    .addOption(
      new Option('-o, --output <format>', 'how to show the findings')
        .choices([...OUTPUT_FORMATS, 'sarif'])
        .default('table'),
    )
    .addOption(
      new Option('--fail-on <severity>', 'least severity that makes the exit code 1')
        .choices([...SEVERITIES, 'never'])
        .default('warning'),
    )
    .option('--interfaces <file>', "JSON list of a host's interfaces: look for host endpoints that do not fit them")
    .addOption(nodeOption())
    .option('--rules', 'list all lint rules')
    .option('--explain <rule>', 'say what a lint rule means')
    .addHelpText('after', HELP)
    .action(runLint);
}

async function runLint(paths: string[], flags: LintFlags): Promise<void> {
  const { output, failOn, rules, explain, interfaces, node } = flags;
  if (explain !== undefined) {
    print(explainRule(explain));
    return;
  }
  if (rules === true) {
    print(formatTable(['RULE', 'SEVERITY', 'MEANING'], ruleRows()));
    return;
  }
  const { objects, errors } = await readPolicy(paths, flags);
  const machine = interfaces === undefined ? undefined : { node, interfaces: readInterfaceFile(interfaces) };
  const report = lintManifests([...objects.values()], errors, machine);
  if (output === 'sarif') print(JSON.stringify(toSarif(report, { version: VERSION, uriOf: fileUri }), null, 2));
  else await printData(report, output, () => formatReport(report));
  process.exitCode = exitCode(report, failOn);
}

async function readPolicy(paths: readonly string[], { manifests, live, socket }: LintFlags): Promise<ResourceSnapshot> {
  if (live !== true) return readManifestPaths(paths.length === 0 ? [manifests] : paths);
  if (paths.length === 0) return readLiveManifests(await askAgent(socket, 'GET', '/v1/manifests'));
  throw new DataplaneError('USAGE', 'says what to look at as well as --live', {
    operation: 'lint',
    target: paths.join(' '),
    hint: 'leave one of them out',
  });
}

function exitCode({ findings, counts }: LintReport, failOn: Severity | 'never'): number {
  if (counts.refused > 0) return EXIT.INVALID;
  if (failOn === 'never') return EXIT.OK;
  const isFailing = ({ severity, suppressed }: Finding): boolean =>
    suppressed === undefined && isAtLeast(severity, failOn);
  return findings.some(isFailing) ? EXIT.FAILED : EXIT.OK;
}

function explainRule(rule: string): string {
  if (isRuleId(rule)) {
    const { severity, summary, help } = LINT_RULES[rule];
    return `${rule} (${severity}): ${summary}\n\n${help}`;
  }
  const nearest = nearestName(rule, RULE_IDS);
  throw new DataplaneError('NOT_FOUND', 'no such lint rule', {
    operation: 'explain',
    target: rule,
    hint: nearest === undefined ? 'see: tortie lint --rules' : `did you mean ${nearest}?`,
  });
}

function ruleRows(): string[][] {
  return RULE_IDS.map((id) => [id, paintSeverity(LINT_RULES[id].severity), LINT_RULES[id].summary]);
}

function formatReport({ findings, remarks, counts }: LintReport): string {
  const shown = findings.filter(({ suppressed }) => suppressed === undefined);
  const blocks = [...groupByFile(shown)].map(([file, own]) => [
    paint(file === '' ? '(no file)' : file, 'bold'),
    ...own.flatMap(describeFinding),
    '',
  ]);
  const numbers = SEVERITIES.map((severity) => {
    const number = shown.filter((finding) => finding.severity === severity).length;
    const text = `${number} ${severity}${number === 1 ? '' : 's'}`;
    return number === 0 ? text : paint(text, PAINTS[severity]);
  });
  const suppressed = findings.length - shown.length;
  const looked = `${counts.objects} objects, ${counts.policies} policies, ${counts.rules} rules`;
  return [
    ...blocks.flat(),
    ...remarks.map((remark) => paint(`remark: ${remark}`, 'dim')),
    `${numbers.join(', ')}${suppressed === 0 ? '' : `, ${suppressed} suppressed`} in ${looked}`,
  ].join('\n');
}

function groupByFile(findings: readonly Finding[]): Map<string, Finding[]> {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const { file } = finding.location;
    groups.set(file, [...(groups.get(file) ?? []), finding]);
  }
  return groups;
}

function describeFinding({ rule, severity, message, object, field, location, related, hint, code }: Finding): string[] {
  const place = field === undefined ? object : `${object} ${field}`;
  const tag = paint(code === undefined ? rule : `${rule} ${code}`, 'dim');
  return [
    `  ${String(location.line).padStart(4)}  ${paintSeverity(severity)}  ${place}: ${message}  ${tag}`,
    ...(hint === undefined ? [] : [`        ${paint('hint', 'dim')}  ${hint}`]),
    ...related.map(
      (item) => `        ${paint('see', 'dim')}   ${item.location.file}:${item.location.line}  ${item.message}`,
    ),
  ];
}

const PAINTS = { error: 'red', warning: 'yellow', note: 'bold' } as const;

function paintSeverity(severity: Severity): string {
  return paint(severity, PAINTS[severity]);
}
