// Speaks to a running agent over its unix socket: HTTP with JSON. Failures come back as the agent's own errors. What is
// asked for, and what becomes of the answer, is the commands' business.
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { VERSION } from '../agent/version.ts';
import { DataplaneError, ERROR_CODES, type ErrorCode } from '../base/errors.ts';
import { printWarning } from './output.ts';
import { type AgentVersion, checkSkew } from './version-skew.ts';

const TIMEOUT_MS = 30_000;
/** By socket: whether its agent fits, which each is asked once, also by those who ask side by side. */
const known = new Map<string, Promise<void>>();
/** What those are that are one minor version away. */
const skewed: AgentVersion[] = [];

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface AgentRequest {
  readonly method: Method;
  /** Encoded, without the query. */
  readonly path: string;
  /** What is undefined or false is left out; each value of a list is given. */
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  /** Text is sent as it is, a stream as it is read, everything else as JSON. */
  readonly body?: unknown;
  /** application/json unless given. */
  readonly contentType?: string;
  /** Without a byte in either direction; half a minute unless given. */
  readonly timeoutMs?: number;
}

export interface AgentAnswer<T> {
  readonly status: number;
  /** Text where the agent answers with something else than JSON. */
  readonly body: T;
  readonly headers: IncomingMessage['headers'];
}

/** The JSON answer. Throws AGENT_UNREACHABLE, or the agent's own error. */
export async function askAgent<T>(
  socket: string,
  method: 'GET' | 'PUT' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<T> {
  return (await sendToAgent<T>(socket, { method, path, body })).body;
}

/**
 * The answer with its status. Throws AGENT_UNREACHABLE, VERSION_SKEW, and the agent's own error for a status from 400 on.
 * Nothing is asked of an agent of a version that is too far away.
 */
export async function sendToAgent<T>(socket: string, asked: AgentRequest): Promise<AgentAnswer<T>> {
  await requireFit(socket);
  return exchange<T>(socket, asked);
}

/** Of any agent, whether it fits or not. Throws AGENT_UNREACHABLE. */
export async function readAgentVersion(socket: string): Promise<AgentVersion> {
  return (await exchange<AgentVersion>(socket, { method: 'GET', path: '/version' })).body;
}

async function exchange<T>(socket: string, asked: AgentRequest): Promise<AgentAnswer<T>> {
  const response = await send(socket, asked, asked.timeoutMs);
  const text = await readText(response);
  const { statusCode: status = 0, headers } = response;
  if (status >= 400) throw failureOf(text, asked);
  const isJson = headers['content-type']?.includes('json') === true;
  return { status, body: (isJson ? JSON.parse(text) : text) as T, headers };
}

/** Lines of an answer that goes on until either side ends it. Throws as sendToAgent does, also in the middle of it. */
export function followAgent(
  socket: string,
  path: string,
  query: AgentRequest['query'] = {},
): AsyncGenerator<string, void, void> {
  return followAnswer(socket, { method: 'GET', path, query });
}

/** Likewise, of any request. */
export async function* followAnswer(socket: string, asked: AgentRequest): AsyncGenerator<string, void, void> {
  const { lines } = await openAnswer(socket, asked);
  yield* lines;
}

export interface OpenAnswer {
  readonly lines: AsyncGenerator<string, void, void>;
  /** Also while somebody waits for a line. */
  readonly close: () => void;
}

/** Resolves once the answer has begun: what the agent tells from then on is in its lines. */
export async function openAnswer(socket: string, asked: AgentRequest): Promise<OpenAnswer> {
  await requireFit(socket);
  const response = await send(socket, asked, 0);
  if ((response.statusCode ?? 0) >= 400) throw failureOf(await readText(response), asked);
  return { lines: linesOf(socket, response), close: () => void response.destroy() };
}

async function* linesOf(socket: string, response: IncomingMessage): AsyncGenerator<string, void, void> {
  response.setEncoding('utf8');
  let rest = '';
  try {
    for await (const chunk of response) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() as string;
      yield* lines;
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ECONNRESET') throw unreachable(socket, cause as Error);
    throw cause;
  }
}

/** An agent that has been spoken to and is one minor version away: its answers may lack what this command looks for. */
export function skewedAgent(): AgentVersion | undefined {
  return skewed.at(-1);
}

/** Asks once for each socket, and warns once. Who did not answer is asked again the next time. */
function requireFit(socket: string): Promise<void> {
  const asked = known.get(socket);
  if (asked !== undefined) return asked;
  const fit = checkFit(socket).catch((error: unknown) => {
    known.delete(socket);
    throw error;
  });
  known.set(socket, fit);
  return fit;
}

async function checkFit(socket: string): Promise<void> {
  const agent = await readAgentVersion(socket);
  const warning = checkSkew(VERSION, agent);
  if (warning === undefined) return;
  skewed.push(agent);
  printWarning(warning);
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function send(socketPath: string, asked: AgentRequest, timeout = TIMEOUT_MS): Promise<IncomingMessage> {
  const { method, path, query = {}, body, contentType = 'application/json' } = asked;
  const text = typeof body === 'string' || body instanceof Readable ? body : JSON.stringify(body);
  const headers = {
    'user-agent': `tortie/${VERSION}`,
    ...(text === undefined ? {} : { 'content-type': contentType }),
    ...(typeof text === 'string' ? { 'content-length': Buffer.byteLength(text) } : {}),
  };
  return new Promise((resolve, reject) => {
    // A connection of its own: one that is kept may be to an agent that is gone.
    const options = { socketPath, method, path: path + formatQuery(query), headers, timeout, agent: false } as const;
    const outgoing = request(options, resolve);
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${timeout} ms`)));
    outgoing.on('error', (cause) => reject(cause instanceof DataplaneError ? cause : unreachable(socketPath, cause)));
    if (text instanceof Readable) pour(text, outgoing);
    else outgoing.end(text);
  });
}

/** What the stream fails with, the request fails with. */
function pour(source: Readable, outgoing: ClientRequest): void {
  source.on('error', (cause) => outgoing.destroy(cause));
  source.pipe(outgoing);
}

function formatQuery(query: NonNullable<AgentRequest['query']>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== false);
  const pairs = given.flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, String(one)]));
  const text = new URLSearchParams(pairs).toString();
  return text === '' ? '' : `?${text}`;
}

/** The agent's error with all its fields; agents of other versions may know fewer fields and other codes. */
function failureOf(text: string, { method, path }: AgentRequest): DataplaneError {
  const place = { operation: method.toLowerCase(), target: path };
  let answer: { code?: unknown; error?: unknown; message?: unknown; details?: { causes?: { error?: unknown }[] } };
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch (cause) {
    return new DataplaneError('INTERNAL', 'the answer is not understood', {
      ...place,
      found: text.slice(0, 80),
      cause,
    });
  }
  const causes = (answer.details?.causes ?? []).map(({ error }) => error as Record<string, unknown> | undefined);
  const [first] = causes;
  if (first !== undefined && causes.length === 1) return restoreError(first);
  const message = String(answer.message ?? answer.error ?? text);
  const cause = causes.length === 0 ? undefined : causes;
  return new DataplaneError(codeOf(first?.code ?? answer.code), message, { ...place, cause });
}

/** The error as the agent has thrown it. */
function restoreError({ code, message, line, ...rest }: Readonly<Record<string, unknown>>): DataplaneError {
  const known = codeOf(code);
  const text = (name: string): string | undefined => (typeof rest[name] === 'string' ? rest[name] : undefined);
  const [operation = '', target = ''] = [text('operation'), text('target')];
  const [field, found, expected, hint] = ['field', 'found', 'expected', 'hint'].map(text);
  const file = text('file');
  // What came over the API has no lines that anybody could look up.
  const place =
    file === undefined || file.startsWith('store: ') ? {} : { file, ...(typeof line === 'number' ? { line } : {}) };
  const details = { operation, target, field, found, expected, hint };
  const around = new DataplaneError(known, '\0', { ...details, file, ...(typeof line === 'number' ? { line } : {}) });
  const [before = '', after = ''] = around.message.split('\0');
  const whole = String(message);
  const isWhole = whole.startsWith(before) && whole.endsWith(after) && whole.length >= before.length + after.length;
  const what = isWhole ? whole.slice(before.length, whole.length - after.length) : whole;
  return new DataplaneError(known, what, { ...details, ...place });
}

function codeOf(code: unknown): ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'INTERNAL';
}

function unreachable(socket: string, cause: NodeJS.ErrnoException): DataplaneError {
  const isForbidden = cause.code === 'EACCES' || cause.code === 'EPERM';
  const [what, hint] = isForbidden
    ? ['this user may not ask the agent', 'run it with sudo']
    : ['no agent answers', 'start one with: tortie agent --manifests DIR; or give its --socket'];
  return new DataplaneError('AGENT_UNREACHABLE', what, { operation: 'connect', target: socket, hint, cause });
}
