// The three kinds of patches: RFC 7386 (merge), RFC 6902 (JSON patch), and apply, which merges and takes away what its
// manager applied before and does no longer. Values in, a value out; nothing that comes in is changed.
import { isEqual } from '../../base/equal.ts';
import { isPlain, type Manifest } from '../store/manifest.ts';
import { isTooDeep, MAX_DEPTH } from './body.ts';
import { invalidRequest } from './failure.ts';
import { PatchCost } from './patch-cost.ts';

/** RFC 7386: null takes a field away, objects are merged, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isPlain(patch)) return patch;
  const result: Record<string, unknown> = isPlain(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else setOwn(result, key, mergePatch(result[key], value));
  }
  return result;
}

/** Fields of `next` on top of those of `current`, without those that only `last` had. Lists are replaced as a whole. */
export function applyPatch(current: Manifest, last: Manifest | undefined, next: Manifest): Manifest {
  const result: Record<string, unknown> = { ...current };
  for (const [key, before] of Object.entries(last ?? {})) {
    if (Object.hasOwn(next, key)) continue;
    const here = result[key];
    const rest = isPlain(before) && isPlain(here) ? applyPatch(here, before, {}) : undefined;
    if (rest === undefined || Object.keys(rest).length === 0) delete result[key];
    else result[key] = rest;
  }
  for (const [key, value] of Object.entries(next)) {
    const [here, before] = [ownField(result, key), ownField(last ?? {}, key)];
    const isMap = isPlain(value) && isPlain(here);
    setOwn(result, key, isMap ? applyPatch(here, isPlain(before) ? before : undefined, value) : value);
  }
  return result;
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** RFC 6902. Throws INVALID_REQUEST naming the operation, and REQUEST_TOO_LARGE: either all of them are done or none. */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw invalidRequest('JSON patch', 'is not a list of operations');
  const cost = new PatchCost(patch.length);
  let result: unknown = structuredClone(target);
  for (const [index, item] of patch.entries()) {
    const at = `operation ${index}`;
    const isWhole = isPlain(item) && typeof item.op === 'string' && typeof item.path === 'string';
    if (!isWhole) throw invalidRequest('JSON patch', 'is not understood', { field: at, expected: 'op and path' });
    result = operate(result, item as unknown as Operation, { at, cost });
  }
  if (!isTooDeep(result)) return result;
  throw invalidRequest('JSON patch', 'leaves what is nested too deeply', { expected: `at most ${MAX_DEPTH} levels` });
}

/** Which operation it is, and what all of them cost. */
interface Turn {
  readonly at: string;
  readonly cost: PatchCost;
}

function operate(root: unknown, operation: Operation, turn: Turn): unknown {
  const { at } = turn;
  const { op, path, from, value } = operation;
  const needsValue = op === 'add' || op === 'replace' || op === 'test';
  if (needsValue && !Object.hasOwn(operation, 'value')) throw unpatchable(at, 'has no value', op);
  switch (op) {
    case 'add':
      return put(root, stepsOf(path, at), structuredClone(value), turn);
    case 'remove':
      return take(root, stepsOf(path, at), turn);
    case 'replace':
      if (path === '') return structuredClone(value);
      return put(take(root, stepsOf(path, at), turn), stepsOf(path, at), structuredClone(value), turn);
    case 'copy': {
      if (path.startsWith(`${from}/`)) throw unpatchable(at, 'copies a value into itself', path);
      const copied = find(root, stepsOf(from, at), at);
      turn.cost.countCopy(copied);
      return put(root, stepsOf(path, at), structuredClone(copied), turn);
    }
    case 'move': {
      if (path.startsWith(`${from}/`)) throw unpatchable(at, 'moves a value into itself', path);
      const moved = find(root, stepsOf(from, at), at);
      return put(take(root, stepsOf(from, at), turn), stepsOf(path, at), moved, turn);
    }
    case 'test':
      if (isEqual(find(root, stepsOf(path, at), at), value)) return root;
      throw unpatchable(at, 'finds another value', path);
    default:
      throw unpatchable(at, 'is none of add, remove, replace, move, copy and test', op);
  }
}

/** RFC 6901. */
function stepsOf(pointer: unknown, at: string): string[] {
  if (pointer === '') return [];
  if (typeof pointer !== 'string' || !pointer.startsWith('/')) throw unpatchable(at, 'has no path', String(pointer));
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function find(root: unknown, steps: readonly string[], at: string): unknown {
  let here = root;
  for (const step of steps) {
    if (Array.isArray(here)) here = here[indexOf(step, here.length - 1, at)];
    else if (isPlain(here) && Object.hasOwn(here, step)) here = here[step];
    else throw unpatchable(at, 'finds nothing there', steps.join('/'));
  }
  return here;
}

function put(root: unknown, steps: readonly string[], value: unknown, { at, cost }: Turn): unknown {
  const last = steps.at(-1);
  if (last === undefined) return value;
  const parent = find(root, steps.slice(0, -1), at);
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : indexOf(last, parent.length, at);
    cost.countMove(parent, index);
    parent.splice(index, 0, value);
  } else if (isPlain(parent)) setOwn(parent as Record<string, unknown>, last, value);
  else throw unpatchable(at, 'finds neither an object nor a list there', steps.join('/'));
  return root;
}

function take(root: unknown, steps: readonly string[], { at, cost }: Turn): unknown {
  const last = steps.at(-1);
  if (last === undefined) throw unpatchable(at, 'takes the whole object away', '');
  find(root, steps, at);
  const parent = find(root, steps.slice(0, -1), at);
  if (Array.isArray(parent)) {
    cost.countMove(parent, Number(last));
    parent.splice(Number(last), 1);
  } else delete (parent as Record<string, unknown>)[last];
  return root;
}

function indexOf(step: string, maximum: number, at: string): number {
  const index = Number(step);
  if (/^(?:0|[1-9]\d*)$/.test(step) && index <= maximum) return index;
  throw unpatchable(at, 'has no such place in the list', step);
}

function ownField(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Also for a field called __proto__. */
function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

function unpatchable(field: string, what: string, found: string): Error {
  return invalidRequest('JSON patch', what, { field, found });
}
