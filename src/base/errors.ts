// The one error class. Every failure that a person may meet has a code from this closed list, described in docs/errors.md.

/** Every code, with one sentence for docs/errors.md. Adding one here is all it takes to use it. */
export const ERROR_CODES = {
  // resources: what users write
  YAML_SYNTAX: 'A document is not well-formed YAML or JSON.',
  FILE_UNREADABLE: 'A manifest file or directory cannot be read.',
  FILE_TOO_LARGE: 'A manifest file is larger than the limit.',
  FILE_UNWRITABLE: 'A manifest file cannot be written.',
  UNKNOWN_KIND: 'The apiVersion and kind are not ones that Tortie knows.',
  UNKNOWN_FIELD: 'A field is not part of the kind.',
  MISSING_FIELD: 'A required field is absent.',
  INVALID_FIELD: 'A field has a value outside what the kind allows.',
  INVALID_SELECTOR: 'A selector does not follow the selector grammar.',
  INVALID_RULE: 'Fields of a rule contradict each other.',
  NEEDS_LAYER7: 'A rule asks for what only a proxy can see: the contents of connections.',
  UNSUPPORTED_FIELD: 'A field is part of the kind, but asks for something that Tortie does not do.',
  LIMIT_EXCEEDED: 'There is more of something than Tortie takes.',
  DUPLICATE_NAME: 'Two documents define the same object.',
  ADDRESS_CONFLICT: 'Two endpoints claim the same address.',
  // flows: what users ask about
  INVALID_FLOW: 'A flow in a question is not a packet that can exist.',
  INVALID_FILTER: 'A filter of flows does not follow its grammar, or asks for a value that its field cannot have.',
  QUERY_TOO_COSTLY: 'A question about stored flows took more time or memory than one may.',
  // rendering: policy for other packet filters
  NOT_EXPRESSIBLE: 'A rule asks for something that the packet filter it is rendered for cannot match.',
  VERDICTS_DIFFER: 'Two ways to enforce one policy judge a flow differently.',
  // tables
  TABLE_FULL: 'The compiled policy does not fit the configured table sizes.',
  // kernel
  PERMISSION: 'The process lacks a capability that the operation needs.',
  FEATURE_UNSUPPORTED: 'The running kernel lacks a feature.',
  OBJECT_MISSING: 'A prebuilt BPF object or the native addon is not where it should be.',
  PROGRAM_REJECTED: 'The verifier refused a program.',
  ABI_MISMATCH: 'A pinned map has another layout than this version writes.',
  KERNEL: 'A system call failed.',
  INTERFACE_MISSING: 'A network interface does not exist.',
  HOOK_TAKEN:
    'Somebody else is where a program of ours must be: at an interface, or at all priorities of a netfilter hook.',
  INTERFACE_TAKEN: 'Another program is where ours belongs on a network interface, and is left there.',
  // the store of the agent, and its API
  ALREADY_EXISTS: 'An object of that name exists already.',
  CONFLICT: 'The object has changed since it was read, or awaits a confirmation.',
  DEFINED_IN_FILE: 'The object is defined by a manifest file, which only an edit of the file changes.',
  REVISION_GONE: 'History does not reach back to that revision.',
  CUTS_CONNECTION:
    'The change would deny the connection that it was sent through, or another that this machine cannot do without.',
  LOCKS_OUT: 'A blocked prefix contains an address that this machine, or whoever asks, cannot do without.',
  STORE_FAILED: "The agent's store cannot be read or written.",
  INVALID_REQUEST: 'A request is not one that the API understands.',
  REQUEST_TOO_LARGE: 'A request, or what it asks for, is larger than the limit.',
  FORBIDDEN: 'The peer may not use the API.',
  // agent and command line
  AGENT_RUNNING: 'Another agent already manages this pin path.',
  AGENT_UNREACHABLE: 'No agent answers on the socket.',
  VERSION_SKEW:
    'The agent and the command are more than one minor version apart, or one gave an answer that the other does not understand.',
  USAGE: 'The command line is not understood.',
  NOT_FOUND: 'The named object does not exist.',
  INTERNAL: 'A promise the code makes to itself was broken: a bug.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
  /** What was being done, e.g. `load program`; lower case. */
  readonly operation: string;
  /** The object, e.g. `policy default/allow-dns` or a path. */
  readonly target: string;
  /** Path of the field inside the object, e.g. `spec.egress[0].ports[1]`. */
  readonly field?: string;
  readonly found?: string;
  readonly expected?: string;
  /** What to do about it. */
  readonly hint?: string;
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  readonly cause?: unknown;
  /** The verifier's whole log, for PROGRAM_REJECTED. */
  readonly verifierLog?: string;
}

/** A failure with a code and the object, field, found value, expected value and hint that explain it. */
export class DataplaneError extends Error implements ErrorDetails {
  override readonly name = 'DataplaneError';
  readonly code: ErrorCode;
  readonly operation: string;
  readonly target: string;
  readonly field?: string;
  readonly found?: string;
  readonly expected?: string;
  readonly hint?: string;
  readonly file?: string;
  readonly line?: number;
  readonly verifierLog?: string;

  /** `what` says what happened, without the object, the values and the hint: those are added from the details. */
  constructor(code: ErrorCode, what: string, details: ErrorDetails) {
    super(formatMessage(what, details), { cause: details.cause });
    this.code = code;
    this.operation = details.operation;
    this.target = details.target;
    this.field = details.field;
    this.found = details.found;
    this.expected = details.expected;
    this.hint = details.hint;
    this.file = details.file;
    this.line = details.line;
    this.verifierLog = details.verifierLog;
  }

  /** The fields as plain data, for `--output json`. */
  toJSON(): Record<string, unknown> {
    const { code, operation, target, field, found, expected, hint, file, line, message } = this;
    return { code, operation, target, field, found, expected, hint, file, line, message };
  }
}

function formatMessage(what: string, details: ErrorDetails): string {
  const place =
    details.file === undefined ? '' : `${details.file}${details.line === undefined ? '' : `:${details.line}`}: `;
  const field = details.field === undefined ? '' : `${details.field}: `;
  const found = details.found === undefined ? '' : `: found ${details.found}`;
  const expected = details.expected === undefined ? '' : `, expected ${details.expected}`;
  const hint = details.hint === undefined ? '' : ` (${details.hint})`;
  return `${place}${details.operation} ${details.target}: ${field}${what}${found}${expected}${hint}`;
}
