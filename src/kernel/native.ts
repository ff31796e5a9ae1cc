// The only door to the addon: finds it, loads it once, and gives every failure that leaves it a code.
// No defaults and no decisions here; what the calls do is said in native/index.d.ts.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DataplaneError } from '../base/errors.ts';
import { isNativeError, toDataplaneError } from './native-error.ts';

export type {
  AttachDirection,
  BpfLink,
  BpfMap,
  BpfObject,
  BpfProgram,
  ClsactFilter,
  FileLock,
  FlowBook,
  KernelFeatures,
  LinkMonitor,
  MapInfo,
  MapOptions,
  NetfilterHook,
  NetworkLink,
  ObjectOptions,
  ProgramInfo,
  RingBuffer,
  SendJob,
  SendOutcome,
  TcpLoadJob,
  TcpLoadOutcome,
  TestRunOptions,
  TestRunResult,
  UdpSink,
  XdpMode,
} from '../../native/index.d.ts';

export type Native = typeof import('../../native/index.d.ts');

const addonPath = 'build/Release/tortie.node';

/** Marks an addon whose functions translate already: module state may be made anew over the one addon of a process. */
const translated = Symbol.for('tortie.native.translated');

let loaded: Native | undefined;

/**
 * The addon. Its functions and methods throw DataplaneError for what the kernel refuses (the native error is the
 * cause), TypeError and RangeError for wrong arguments, Error for a closed handle. Throws OBJECT_MISSING.
 */
export function loadNative(): Native {
  loaded ??= translateAll(requireAddon());
  return loaded;
}

/** Absolute path of a file that the build made, e.g. `build/bpf/workload.bpf.o`. Throws OBJECT_MISSING. */
export function builtFile(relative: string): string {
  for (let folder = path.dirname(fileURLToPath(import.meta.url)); ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, relative);
    if (existsSync(candidate)) return candidate;
    if (folder === path.dirname(folder)) break;
  }
  throw missing(relative, 'is not there', undefined);
}

/**
 * Runs calls of the addon on behalf of an operation and a target of the caller's: a failure in them carries these
 * instead of the addon's own, e.g. `attach tcx ingress web0` instead of `attach tcx interface 7 ingress`.
 */
export function translateErrors<T>(operation: string, target: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const native = error instanceof DataplaneError ? error.cause : error;
    throw isNativeError(native) ? toDataplaneError(native, { operation, target }) : error;
  }
}

function requireAddon(): Native {
  const file = builtFile(addonPath);
  try {
    return createRequire(import.meta.url)(file) as Native;
  } catch (cause) {
    throw missing(file, 'cannot be loaded into this process', cause);
  }
}

function missing(target: string, what: string, cause: unknown): DataplaneError {
  return new DataplaneError('OBJECT_MISSING', what, { operation: 'load', target, hint: 'run: npm run build', cause });
}

/** Wraps every exported function, static method, method and getter, in place. */
function translateAll(native: Native): Native {
  const exported = native as unknown as Record<PropertyKey, unknown>;
  if (exported[translated] === true) return native;
  for (const [name, value] of Object.entries(exported)) {
    if (typeof value !== 'function') continue;
    if (isClass(value)) {
      wrapProperties(value.prototype as object);
      wrapProperties(value);
    } else {
      exported[name] = wrap(value as Call);
    }
  }
  Object.defineProperty(exported, translated, { value: true });
  return native;
}

/** Functions of an addon have a prototype too, but nothing on it. */
function isClass(value: { readonly prototype?: unknown }): boolean {
  const { prototype } = value;
  return typeof prototype === 'object' && prototype !== null && Object.getOwnPropertyNames(prototype).length > 1;
}

type Call = (this: unknown, ...parameters: unknown[]) => unknown;

function wrapProperties(holder: object): void {
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(holder))) {
    if (name === 'constructor' || property.configurable !== true) continue;
    if (typeof property.value === 'function') property.value = wrap(property.value as Call);
    if (property.get !== undefined) property.get = wrap(property.get) as () => unknown;
    Object.defineProperty(holder, name, property);
  }
}

function wrap(call: Call): Call {
  return function translating(this: unknown, ...parameters: unknown[]): unknown {
    try {
      const result = call.apply(this, parameters);
      return result instanceof Promise ? result.catch(rethrow) : result;
    } catch (error) {
      return rethrow(error);
    }
  };
}

function rethrow(error: unknown): never {
  throw isNativeError(error) ? toDataplaneError(error) : error;
}
