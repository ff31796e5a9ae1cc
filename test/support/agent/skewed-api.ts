// Stands between commands and an agent's API, and answers as an agent of another version may: with fields more, or fewer.
import { createServer, request, type Server } from 'node:http';
import { VERSION } from '../../../src/agent/version.ts';
import { ERROR_CODES } from '../../../src/base/errors.ts';
import { type CommandResult, runCommand } from '../run-command.ts';

type Edit = (path: string, answer: unknown) => unknown;

/** Objects whose fields are named by users, or by what happened; and manifests: those that another version adds to are refused. */
const DICTIONARIES = new Set([
  'manifest',
  'labels',
  'annotations',
  'matchLabels',
  'counters',
  'drops',
  'repairsByCause',
  'leftOut',
]);

export class SkewedApi {
  /** What the agent has answered with JSON, by path without query; the latest for each. */
  readonly answers = new Map<string, unknown>();
  /** What is told instead. */
  edit: Edit = (_, answer) => answer;
  readonly socket: string;
  readonly #server: Server;

  private constructor(agentSocket: string, socket: string) {
    this.socket = socket;
    this.#server = createServer((asked, answered) => {
      const { method, url = '', headers } = asked;
      const forwarded = request({ socketPath: agentSocket, method, path: url, headers, agent: false }, (reply) => {
        const type = String(reply.headers['content-type']);
        const chunks: Buffer[] = [];
        reply.on('data', (chunk: Buffer) => chunks.push(chunk));
        reply.on('end', () => {
          answered.writeHead(reply.statusCode ?? 500, { 'content-type': type });
          const text = Buffer.concat(chunks).toString();
          answered.end(type.includes('json') ? this.#edited(url.replace(/\?.*/, ''), type, text) : text);
        });
      });
      asked.pipe(forwarded);
    });
  }

  static async start(agentSocket: string, socket: string): Promise<SkewedApi> {
    const api = new SkewedApi(agentSocket, socket);
    await new Promise<void>((resolve) => api.#server.listen(socket, resolve));
    return api;
  }

  async end(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #edited(path: string, type: string, text: string): string {
    if (!type.includes('ndjson')) return JSON.stringify(this.#editOne(path, text));
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => `${JSON.stringify(this.#editOne(path, line))}\n`).join('');
  }

  #editOne(path: string, text: string): unknown {
    const answer: unknown = JSON.parse(text);
    this.answers.set(path, answer);
    return this.edit(path, answer);
  }
}

/** A field of an answer: keys from the outside in; '*' = every element of a list. */
export type FieldPath = readonly string[];

/** Every field, down to so many keys. */
export function fieldsOf(answer: unknown, depth: number): FieldPath[] {
  if (depth === 0 || answer === null || typeof answer !== 'object') return [];
  if (Array.isArray(answer)) {
    const all = answer.flatMap((one) => fieldsOf(one, depth).map((path) => ['*', ...path]));
    return [...new Map(all.map((path) => [path.join('/'), path])).values()];
  }
  return Object.entries(answer).flatMap(([key, value]) => [
    [key],
    ...fieldsOf(value, depth - 1).map((path) => [key, ...path]),
  ]);
}

/** The answer without that field. */
export function without(answer: unknown, [key = '', ...rest]: FieldPath): unknown {
  if (answer === null || typeof answer !== 'object') return answer;
  if (Array.isArray(answer)) return key === '*' ? answer.map((one) => without(one, rest)) : answer;
  if (!Object.hasOwn(answer, key)) return answer;
  const { [key]: value, ...others } = answer as Record<string, unknown>;
  return rest.length === 0 ? others : { ...answer, [key]: without(value, rest) };
}

/** The answer as the next version may give it: an object has a field more, wherever that is not somebody's name for something. */
export function withMore(answer: unknown, key = ''): unknown {
  if (Array.isArray(answer)) return answer.map((one) => withMore(one));
  if (answer === null || typeof answer !== 'object' || DICTIONARIES.has(key)) return answer;
  const fields = Object.entries(answer).map(([name, one]) => [name, withMore(one, name)]);
  return { ofTheNext: { list: [1] }, ...Object.fromEntries(fields) };
}

/** What became of a command, for each field that its answers lacked: `PATH without FIELD`. */
export interface LeftOut {
  /** With all fields. */
  readonly first: CommandResult;
  /** It went without, or said what is wrong. */
  readonly done: readonly string[];
  /** It was said that the answer is another version's. */
  readonly refused: readonly string[];
  /** It came to grief. */
  readonly wrong: readonly string[];
}

/** Has an agent of the minor version before answer the command, without one field at a time, down to `depth` keys. */
export async function leaveOut(api: SkewedApi, words: readonly string[], depth: number): Promise<LeftOut> {
  const ask = () => runCommand([...words, '--socket', api.socket]);
  api.edit = asVersion(versionAway(-1));
  api.answers.clear();
  const first = await ask();
  const fields = [...api.answers].flatMap(([path, answer]) =>
    path === '/version' ? [] : fieldsOf(answer, depth).map((field) => [path, field] as const),
  );
  const outcomes = { done: [] as string[], refused: [] as string[], wrong: [] as string[] };
  for (const [path, field] of fields) {
    const older = asVersion(versionAway(-1));
    api.edit = (asked, answer) => older(asked, asked === path ? without(answer, field) : answer);
    const what = `${path} without ${field.join('.')}`;
    try {
      const { output, answer } = await ask();
      const told = /^([A-Z_]+): /m.exec(output)?.[1];
      if (told === 'VERSION_SKEW') outcomes.refused.push(what);
      else if (told === undefined ? answer !== '' : told in ERROR_CODES) outcomes.done.push(what);
      else outcomes.wrong.push(`${what}: ${output}`);
    } catch (error) {
      outcomes.wrong.push(`${what}: ${(error as Error).stack}`);
    }
  }
  return { first, ...outcomes };
}

/** Answers as they are, of an agent that says it is of that version. */
export function asVersion(version: string): Edit {
  return (path, answer) => (path === '/version' ? { ...(answer as object), version } : answer);
}

/** So many minor versions from this one. */
export function versionAway(minors: number): string {
  const [major = 0, minor = 0] = VERSION.split('.').map(Number);
  return `${major}.${minor + minors}.3`;
}
