// How checks say what is wrong with a field of the object they look at.
import type { ErrorCode } from '../base/errors.ts';
import type { FieldPath } from './field-path.ts';

export interface ProblemDetails {
  /** INVALID_FIELD unless given. */
  readonly code?: ErrorCode;
  readonly found?: string;
  readonly expected?: string;
  readonly hint?: string;
}

export type Report = (path: FieldPath, what: string, details?: ProblemDetails) => void;

/** A value as an error quotes it: JSON, cut when long. */
export function quoteValue(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
