// Findings as SARIF 2.1.0 (OASIS), for code scanning and editors. Pure: the caller says how paths become URIs.
import { sha1Hex } from '../../base/sha1.ts';
import type { SourceLocation } from '../../model/location.ts';
import { LINT_RULES, RULE_IDS } from './catalogue.ts';
import type { Finding, LintReport } from './finding.ts';

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';
const FINGERPRINT = 'tortieLint/v1';

export interface SarifOptions {
  readonly version: string;
  /** Relative to what the reader calls %SRCROOT%, or absolute. */
  readonly uriOf: (file: string) => string;
}

/** One run with every rule and every finding; suppressed ones carry their reason. */
export function toSarif({ findings, remarks }: LintReport, options: SarifOptions): Record<string, unknown> {
  const seen = new Map<string, number>();
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'tortie lint', version: options.version, rules: RULE_IDS.map(describeRule) } },
        columnKind: 'utf16CodeUnits',
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: remarks.map((text) => ({ level: 'note', message: { text } })),
          },
        ],
        results: findings.map((finding) => describeFinding(finding, options, seen)),
      },
    ],
  };
}

function describeRule(id: (typeof RULE_IDS)[number]): Record<string, unknown> {
  const { severity, summary, help } = LINT_RULES[id];
  return {
    id,
    name: id
      .split('-')
      .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
      .join(''),
    shortDescription: { text: summary },
    fullDescription: { text: help },
    help: { text: help },
    defaultConfiguration: { level: severity },
  };
}

function describeFinding(finding: Finding, options: SarifOptions, seen: Map<string, number>): Record<string, unknown> {
  const { rule, severity, message, object, field, location, related, hint, suppressed } = finding;
  const name = field === undefined ? object : `${object} ${field}`;
  return {
    ruleId: rule,
    ruleIndex: RULE_IDS.indexOf(rule),
    level: severity,
    message: { text: `${object}: ${message}${hint === undefined ? '' : ` (${hint})`}` },
    locations: [
      {
        physicalLocation: physicalLocation(location, options),
        logicalLocations: [{ fullyQualifiedName: name, kind: 'object' }],
      },
    ],
    ...(related.length === 0
      ? {}
      : {
          relatedLocations: related.map((place, id) => ({
            id,
            message: { text: place.message },
            physicalLocation: physicalLocation(place.location, options),
          })),
        }),
    partialFingerprints: { [FINGERPRINT]: fingerprint(finding, seen) },
    ...(suppressed === undefined ? {} : { suppressions: [{ kind: 'inSource', justification: suppressed }] }),
    properties: { object, field, code: finding.code },
  };
}

function physicalLocation({ file, line }: SourceLocation, { uriOf }: SarifOptions): Record<string, unknown> {
  const uri = uriOf(file);
  const isAbsolute = /^[a-z]+:/.test(uri);
  return {
    artifactLocation: isAbsolute ? { uri } : { uri, uriBaseId: '%SRCROOT%' },
    ...(line > 0 ? { region: { startLine: line } } : {}),
  };
}

/** Stays the same when lines move and when counts in the message change. */
function fingerprint({ rule, object, field = '' }: Finding, seen: Map<string, number>): string {
  const identity = JSON.stringify([rule, object, field]);
  const occurrence = (seen.get(identity) ?? 0) + 1;
  seen.set(identity, occurrence);
  return sha1Hex(`${identity}#${occurrence}`);
}
