// Puts new content in the place of a file by rename: a reader sees the old file or the new one, and so does a machine
// that loses power. Who may read it, and links to it, stay as they were.
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DataplaneError } from '../../base/errors.ts';

/**
 * Writes the file, and the folders it is in. A symbolic link stays, and what it leads to is replaced; a file that is
 * there keeps its mode, and its owner where the process may give files away. Throws FILE_UNWRITABLE; nothing is
 * changed then.
 */
export function replaceFile(path: string, content: string): void {
  let temporary: string | undefined;
  try {
    const before = statSync(path, { throwIfNoEntry: false });
    const target = before === undefined ? path : realpathSync(path);
    const directory = dirname(target);
    mkdirSync(directory, { recursive: true });
    temporary = join(directory, `.${basename(target)}.new`);
    writeWhole(temporary, content, before);
    renameSync(temporary, target);
    syncDirectory(directory);
  } catch (cause) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    throw new DataplaneError('FILE_UNWRITABLE', `cannot be written: ${code}`, {
      operation: 'edit',
      target: path,
      hint: 'it is as it was before',
      cause,
    });
  }
}

function writeWhole(path: string, content: string, like: Stats | undefined): void {
  const file = openSync(path, 'w');
  try {
    if (like !== undefined) takeAfter(file, like);
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Only root may give files away: others are the owner of what they write. */
function takeAfter(file: number, { mode, uid, gid }: Stats): void {
  const own = fstatSync(file);
  try {
    if (own.uid !== uid || own.gid !== gid) fchownSync(file, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
  fchmodSync(file, mode & 0o7777);
}

/** The rename itself must outlive a power cut too. */
function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
