// Bodies of requests: read within a limit, and made out as JSON or YAML. What they mean is the handlers' business.
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { isPlain, type Manifest } from '../store/manifest.ts';
import { invalidRequest, tooLarge } from './failure.ts';
import type { ApiRequest } from './route.ts';
import { parseYamlBody } from './yaml-body.ts';

export const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** Objects and lists inside each other. */
export const MAX_DEPTH = 64;

/** Told of bytes as they come; throws where they are too many. */
export type CountBytes = (bytes: number) => void;

/** Reads the body, and no more of it than may be. Throws REQUEST_TOO_LARGE, INVALID_REQUEST, and what `count` throws. */
export async function readText(
  request: IncomingMessage,
  count: CountBytes,
  maxBytes = MAX_BODY_BYTES,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const requireFit = (bytes: number): void => {
    if (bytes > maxBytes) throw tooLarge('body of the request', `${maxBytes} bytes`);
  };
  requireFit(Number(request.headers['content-length'] ?? 0));
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    requireFit(size);
    count(chunk.length);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (!isUtf8(bytes)) throw invalidRequest('body', 'is not UTF-8');
  return bytes.toString('utf8');
}

/** Throws INVALID_REQUEST. */
export async function readJson(request: ApiRequest): Promise<unknown> {
  const text = await request.text();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalidRequest('body', 'is not JSON', { found: (cause as Error).message });
  }
  if (isTooDeep(value))
    throw invalidRequest('body', 'is nested too deeply', { expected: `at most ${MAX_DEPTH} levels` });
  return value;
}

/** Level by level: whatever calls itself would end on such a value. */
export function isTooDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) return true;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return false;
}

/** One object, as JSON or YAML. Throws INVALID_REQUEST. */
export async function readObject(request: ApiRequest): Promise<Manifest> {
  const values = await readObjects(request);
  const [value] = values;
  if (value !== undefined && values.length === 1) return value;
  throw invalidRequest('body', 'is not one object', { found: `${values.length} objects` });
}

/**
 * Every object of a YAML stream or of JSON; lists are taken apart. Throws INVALID_REQUEST, and REQUEST_TOO_LARGE, for YAML above
 * `maxYamlBytes`.
 */
export async function readObjects(request: ApiRequest, maxYamlBytes = MAX_BODY_BYTES): Promise<Manifest[]> {
  const isJson = request.contentType.endsWith('json');
  const values = isJson ? [await readJson(request)] : parseYamlBody(await request.text(maxYamlBytes));
  return values.flatMap((value) => (Array.isArray(value) ? value.flatMap(itemsOf) : itemsOf(value)));
}

function itemsOf(value: unknown): Manifest[] {
  if (!isPlain(value)) throw invalidRequest('body', 'is not an object', { found: JSON.stringify(value)?.slice(0, 80) });
  const { kind, items, apiVersion } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return [value];
  const base = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) };
  return items.flatMap((item: unknown) => itemsOf(isPlain(item) ? { ...base, ...item } : item));
}
