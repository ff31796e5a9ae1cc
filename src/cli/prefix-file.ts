// Files of prefixes on their way to the agent: sent as they are read, never held whole. What is in them is the agent's to judge.
import { createReadStream, statSync } from 'node:fs';
import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { MAX_FILE_BYTES } from '../agent/block/refusals.ts';
import { DataplaneError } from '../base/errors.ts';

/** `path` - = standard input. Throws FILE_UNREADABLE, and FILE_TOO_LARGE without reading what could not be taken. */
export function openPrefixFile(path: string): Readable {
  if (path === '-') return process.stdin.pipe(new SizeGuard(path));
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || stat.isDirectory()) {
    throw new DataplaneError('FILE_UNREADABLE', stat === undefined ? 'is not there' : 'is a directory', {
      operation: 'read prefixes',
      target: path,
    });
  }
  if (stat.size > MAX_FILE_BYTES) throw tooLarge(path, `${stat.size} bytes`);
  return createReadStream(path, { highWaterMark: 1 << 20 });
}

/** What has no size that could be asked for is counted on the way. */
class SizeGuard extends Transform {
  readonly #path: string;
  #bytes = 0;

  constructor(path: string) {
    super();
    this.#path = path;
  }

  override _transform(chunk: Buffer, _encoding: string, callback: TransformCallback): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_FILE_BYTES) callback(tooLarge(this.#path, 'more'));
    else callback(null, chunk);
  }
}

function tooLarge(path: string, found: string): DataplaneError {
  return new DataplaneError('FILE_TOO_LARGE', 'is larger than a list of prefixes may be', {
    operation: 'read prefixes',
    target: path,
    found,
    expected: `at most ${MAX_FILE_BYTES} bytes`,
  });
}
