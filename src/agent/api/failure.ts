// Errors as the API answers them: Kubernetes Status objects that carry every field of Tortie's own error.
import { DataplaneError, type ErrorCode } from '../../base/errors.ts';

/** metav1.Status of a failure. */
export interface FailureStatus {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Record<string, never>;
  readonly status: 'Failure';
  readonly message: string;
  readonly reason: string;
  /** Of HTTP. */
  readonly code: number;
  readonly details: { readonly causes: readonly FailureCause[] };
}

/** One thing that is wrong. */
export interface FailureCause {
  /** As in docs/errors.md. */
  readonly reason: ErrorCode;
  readonly message: string;
  readonly field?: string;
  /** Every field of the error. */
  readonly error: Readonly<Record<string, unknown>>;
}

/** What is not here is an object that is refused. */
const HTTP_CODES: Partial<Record<ErrorCode, number>> = {
  USAGE: 400,
  INVALID_REQUEST: 400,
  YAML_SYNTAX: 400,
  INVALID_FLOW: 400,
  INVALID_FILTER: 400,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  CONFLICT: 409,
  DEFINED_IN_FILE: 409,
  CUTS_CONNECTION: 409,
  REVISION_GONE: 410,
  REQUEST_TOO_LARGE: 413,
  INTERNAL: 500,
  KERNEL: 500,
  STORE_FAILED: 500,
};

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  422: 'Invalid',
  500: 'InternalError',
};

/** The DataplaneErrors that a failure consists of; undefined = it is a bug. */
export function errorsOf(failure: unknown): readonly DataplaneError[] | undefined {
  if (failure instanceof DataplaneError) return [failure];
  if (!(failure instanceof AggregateError)) return undefined;
  const errors = failure.errors as readonly unknown[];
  const known = errors.filter((error) => error instanceof DataplaneError);
  return known.length === errors.length && known.length > 0 ? known : undefined;
}

/** The first error decides the code. `httpCode` overrules it. */
export function failureStatus(errors: readonly DataplaneError[], httpCode?: number): FailureStatus {
  const [first] = errors;
  const code = httpCode ?? (first === undefined ? 500 : (HTTP_CODES[first.code] ?? 422));
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: errors.map(messageOf).join('; ') || 'see the log of the agent',
    reason: first?.code === 'ALREADY_EXISTS' ? 'AlreadyExists' : (REASONS[code] ?? 'InternalError'),
    code,
    details: { causes: errors.map(causeOf) },
  };
}

function causeOf(error: DataplaneError): FailureCause {
  const { code, field } = error;
  return { reason: code, message: messageOf(error), ...(field === undefined ? {} : { field }), error: error.toJSON() };
}

/** Lines of what came over the API are nobody's lines. */
function messageOf({ message, file, line }: DataplaneError): string {
  const place = `${file}:${line}: `;
  return file?.startsWith('store: ') === true && message.startsWith(place) ? message.slice(place.length) : message;
}

export function invalidRequest(target: string, what: string, details: Partial<DataplaneError> = {}): DataplaneError {
  const { field, found, expected, hint } = details;
  return new DataplaneError('INVALID_REQUEST', what, {
    operation: 'read request',
    target,
    field,
    found,
    expected,
    hint,
  });
}

/** REQUEST_TOO_LARGE; `limit` = how much may be, with its unit. */
export function tooLarge(target: string, limit: string, found?: string, hint?: string): DataplaneError {
  const expected = `at most ${limit}`;
  return new DataplaneError('REQUEST_TOO_LARGE', 'is too large', { operation: 'read', target, found, expected, hint });
}
