// Speaks to a running agent over its unix socket.
import { type IncomingMessage, request } from 'node:http';
import { DataplaneError, type ErrorCode } from '../base/errors.ts';

const TIMEOUT_MS = 30_000;

/** The JSON answer. Throws AGENT_UNREACHABLE, or the agent's own error. */
export async function askAgent<T>(
  socket: string,
  method: 'GET' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<T> {
  const response = await send(socket, method, path, body);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  if (response.statusCode === 200) return JSON.parse(text) as T;
  const { code, error } = JSON.parse(text) as { code: ErrorCode; error: string };
  throw new DataplaneError(code, error, { operation: method.toLowerCase(), target: path });
}

/** Lines of an answer that goes on until either side ends it. */
export async function* followAgent(socket: string, path: string): AsyncIterable<string> {
  const response = await send(socket, 'GET', path, undefined);
  let rest = '';
  for await (const chunk of response) {
    const lines = (rest + (chunk as Buffer).toString('utf8')).split('\n');
    rest = lines.pop() as string;
    yield* lines;
  }
}

function send(socketPath: string, method: string, path: string, body: unknown): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const outgoing = request({ socketPath, method, path, headers, timeout: TIMEOUT_MS }, resolve);
    outgoing.on('error', (cause) => reject(unreachable(socketPath, cause)));
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function unreachable(socket: string, cause: Error): DataplaneError {
  return new DataplaneError('AGENT_UNREACHABLE', 'no agent answers', {
    operation: 'connect',
    target: socket,
    hint: 'start one with: tortie agent --manifests DIR; or give its --socket',
    cause,
  });
}
