// What a failure in the addon means to a person: errno, verifier log and layout differences become a DataplaneError.
// Not here: recovering from any of them.
import os from 'node:os';
import { DataplaneError, type ErrorCode } from '../base/errors.ts';

/** What the addon throws when the kernel or libbpf says no; see native/index.d.ts. */
export interface NativeError extends Error {
  readonly errno: number;
  readonly code: string;
  readonly operation: string;
  readonly target: string;
  readonly log?: string;
  readonly differences?: readonly string[];
}

/** Calls that an older kernel refuses with EINVAL, which says nothing. */
const minimumKernels: Readonly<Record<string, { readonly feature: string; readonly kernel: string }>> = {
  'attach tcx': { feature: 'tcx links need', kernel: '6.6' },
  'query tcx': { feature: 'tcx links need', kernel: '6.6' },
};

const unsupported = new Set(['ENOTSUPP', 'EOPNOTSUPP', 'ENOSYS']);
const codes: Readonly<Record<string, ErrorCode>> = {
  EPERM: 'PERMISSION',
  EACCES: 'PERMISSION',
  ENODEV: 'INTERFACE_MISSING',
};

const LEFT_BY_OTHERS =
  'made by another version or with other sizes: run with those, or start over with: tortie cleanup';

export function isNativeError(error: unknown): error is NativeError {
  return error instanceof Error && 'errno' in error && 'operation' in error && 'target' in error;
}

/** The errno's name behind a failure that came out of the addon, e.g. `ENOENT`; undefined for any other error. */
export function errnoName(error: unknown): string | undefined {
  if (isNativeError(error)) return error.code;
  return error instanceof DataplaneError ? errnoName(error.cause) : undefined;
}

/** Whose words a message uses: by default the native error's own. */
type Subject = Pick<NativeError, 'operation' | 'target'>;

/** The same failure with a code of ours, a message with values, and the native error as its cause. */
export function toDataplaneError(error: NativeError, subject: Subject = error): DataplaneError {
  const fail = (code: ErrorCode, what: string, hint?: string): DataplaneError =>
    new DataplaneError(code, what, { operation: subject.operation, target: subject.target, hint, cause: error });
  if (error.differences !== undefined) return fail('ABI_MISMATCH', error.differences.join('; '), LEFT_BY_OTHERS);
  const rejection = findRejection(error.log ?? '');
  if (rejection !== undefined) return programRejected(error, rejection);
  const minimum = minimumKernels[error.operation];
  if (minimum !== undefined && error.code === 'EINVAL' && isOlder(os.release(), minimum.kernel)) {
    return fail('FEATURE_UNSUPPORTED', `${minimum.feature} kernel ${minimum.kernel}, running ${os.release()}`);
  }
  if (unsupported.has(error.code)) {
    return fail('FEATURE_UNSUPPORTED', `${error.code}: this kernel, ${os.release()}, does not do it`);
  }
  if (error.operation === 'open object' && error.code === 'ENOENT') {
    return fail('OBJECT_MISSING', 'the file is not there', 'run: npm run build');
  }
  if (error.operation === 'load object' && error.code === 'ENODATA') {
    return fail('KERNEL', 'the kernel does not take its types (BTF)', 'it may be short of memory: try again');
  }
  return fail(codes[error.code] ?? 'KERNEL', describe(error), hintFor(error));
}

function describe(error: NativeError): string {
  const prefix = `${error.operation} ${error.target}: `;
  const message = error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
  const said = lastLine(error.log ?? '');
  return said === undefined ? message : `${message}: ${said}`;
}

function hintFor(error: NativeError): string | undefined {
  return codes[error.code] === 'PERMISSION' ? 'run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON' : undefined;
}

interface Rejection {
  readonly program: string;
  readonly log: string;
}

/** libbpf prints the verifier's log of the refused program between two marks. */
function findRejection(log: string): Rejection | undefined {
  const found = /prog '([^']+)': -- BEGIN PROG LOAD LOG --\n([\s\S]*?)-- END PROG LOAD LOG --/.exec(log);
  return found === null ? undefined : { program: found[1] ?? '', log: found[2] ?? '' };
}

function programRejected(error: NativeError, rejection: Rejection): DataplaneError {
  const lines = rejection.log.split('\n').filter((line) => line.trim() !== '');
  const isStatistic = (line: string): boolean =>
    /^(processed \d+ insns|verification time|stack depth|max_states|peak_states)/.test(line);
  const last = lines.findLast((line) => !isStatistic(line)) ?? 'the verifier gives no reason';
  return new DataplaneError('PROGRAM_REJECTED', `${error.code}: ${last.trim()}`, {
    operation: 'load program',
    target: rejection.program,
    hint: `${Math.max(lines.length - 1, 0)} more lines in error.verifierLog`,
    verifierLog: rejection.log,
    cause: error,
  });
}

function lastLine(log: string): string | undefined {
  return log
    .split('\n')
    .findLast((line) => line.trim() !== '')
    ?.replace(/^libbpf: /, '')
    .trim();
}

/** Compares `major.minor`; whatever follows in a release is of no interest. */
function isOlder(release: string, minimum: string): boolean {
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  const [needMajor = 0, needMinor = 0] = minimum.split('.').map(Number);
  return major < needMajor || (major === needMajor && minor < needMinor);
}
