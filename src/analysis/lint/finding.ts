// What lint says: one finding with its rule, its object and where it is written. Plain data, ready for JSON.
import type { ErrorCode } from '../../base/errors.ts';
import type { SourceLocation } from '../../model/location.ts';
import type { RuleId } from './catalogue.ts';
import type { Severity } from './severity.ts';

export interface RelatedPlace {
  readonly message: string;
  readonly location: SourceLocation;
}

export interface Finding {
  readonly rule: RuleId;
  readonly severity: Severity;
  /** One sentence without a full stop, that names what is wrong and with what values. */
  readonly message: string;
  /** As `tortie explain` takes it, e.g. `np/shop/web`; for what was refused the error's own target. */
  readonly object: string;
  /** Path inside the object; undefined = the object as a whole. */
  readonly field?: string;
  readonly location: SourceLocation;
  readonly related: readonly RelatedPlace[];
  /** What to do about it. */
  readonly hint?: string;
  /** Of a refused object: the code in docs/errors.md. */
  readonly code?: ErrorCode;
  /** Why the object's annotation says that this is as it should be; undefined = not suppressed. */
  readonly suppressed?: string;
}

export interface LintReport {
  /** By file, line, field and rule; suppressed ones included. */
  readonly findings: readonly Finding[];
  /** What was left out of the analysis and why, once. */
  readonly remarks: readonly string[];
  readonly counts: LintCounts;
}

export interface LintCounts {
  /** Objects looked at, refused ones not counted. */
  readonly objects: number;
  readonly policies: number;
  readonly rules: number;
  readonly refused: number;
}

/** Orders findings as they are read: by place, then by rule. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    compareText(a.location.file, b.location.file) ||
    a.location.line - b.location.line ||
    compareText(a.object, b.object) ||
    compareText(a.field ?? '', b.field ?? '') ||
    compareText(a.rule, b.rule) ||
    compareText(a.message, b.message)
  );
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
