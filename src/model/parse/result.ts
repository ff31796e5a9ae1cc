// What parsing a resource yields, and how the parsers of single kinds say what is wrong.
import { DataplaneError, type ErrorCode } from '../../base/errors.ts';
import { type FieldPath, formatPath } from '../../resources/field-path.ts';
import { describeObject, type Resource } from '../../resources/resource.ts';
import type { HostEndpointSource } from '../host-endpoint-source.ts';
import type { Selector } from '../selector/ast.ts';
import { describeProblem, tryParseSelector } from '../selector/parser.ts';
import type { ModelObject } from '../world.ts';

export interface ParseResult {
  readonly objects: readonly ModelObject[];
  readonly errors: readonly DataplaneError[];
  /** What host endpoints are made of, of resources that stand for no object themselves. */
  readonly source?: HostEndpointSource;
}

interface Details {
  readonly found?: string;
  readonly expected?: string;
  readonly hint?: string;
}

const NO_OBJECTS: readonly ModelObject[] = Object.freeze([]);
const NO_ERRORS: readonly DataplaneError[] = Object.freeze([]);

/** Collects the errors of one resource. A resource with an error becomes no object: half a policy is another policy. */
export class ParseContext {
  readonly resource: Resource;
  readonly errors: DataplaneError[] = [];
  /** The resource is known to have no errors. */
  readonly isAccepted: boolean;

  constructor(resource: Resource, isAccepted = false) {
    this.resource = resource;
    this.isAccepted = isAccepted;
  }

  refuse(code: ErrorCode, path: FieldPath, what: string, details: Details = {}): void {
    const { resource } = this;
    this.errors.push(
      new DataplaneError(code, what, {
        operation: 'parse',
        target: describeObject(resource.kind, resource.namespace, resource.name),
        field: path.length === 0 ? undefined : formatPath(path),
        file: resource.location.file,
        line: resource.lineOf(path),
        ...details,
      }),
    );
  }

  /** undefined = absent, empty or refused. */
  selector(text: string | undefined, path: FieldPath): Selector | undefined {
    if (text === undefined || text.trim() === '') return undefined;
    const result = tryParseSelector(text);
    if ('selector' in result) return result.selector;
    const { found, expected } = result.problem;
    this.refuse('INVALID_SELECTOR', path, describeProblem(result.problem), { found, expected });
    return undefined;
  }

  /** The objects, frozen, unless something was refused. */
  result(...objects: readonly ModelObject[]): ParseResult {
    if (this.errors.length > 0) return { objects: NO_OBJECTS, errors: this.errors };
    return { objects: objects.map(freezeDeep), errors: NO_ERRORS };
  }
}

/** Fields that are frozen already are taken to be so all the way down. */
export function freezeDeep<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const key in value) freezeDeep(value[key]);
  return Object.freeze(value);
}

/** Freezes what the object holds, not the object itself. */
export function freezeFields<T extends object>(value: T): T {
  for (const key in value) freezeDeep(value[key]);
  return value;
}
