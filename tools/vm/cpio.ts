// An initramfs as bytes: the "newc" archive that Linux unpacks at start. Pure.

export interface ArchiveFile {
  /** Without a leading slash; its folders are made from it. */
  readonly path: string;
  readonly data: Uint8Array | string;
  readonly isExecutable?: boolean;
}

const MODES = { file: 0o100644, program: 0o100755, folder: 0o040755 } as const;
const TRAILER = 'TRAILER!!!';

export function packArchive(files: readonly ArchiveFile[]): Buffer {
  const folders = new Set(files.flatMap(({ path }) => parents(path)));
  const entries = [
    ...[...folders].sort().map((path, index) => entry(path, MODES.folder, Buffer.alloc(0), index)),
    ...files.map(({ path, data, isExecutable }, index) =>
      entry(path, isExecutable ? MODES.program : MODES.file, Buffer.from(data), folders.size + index),
    ),
    entry(TRAILER, 0, Buffer.alloc(0), 0),
  ];
  return Buffer.concat(entries);
}

/** a/b/c -> a, a/b */
function parents(path: string): string[] {
  const words = path.split('/').slice(0, -1);
  return words.map((_, index) => words.slice(0, index + 1).join('/'));
}

function entry(path: string, mode: number, data: Buffer, inode: number): Buffer {
  const name = Buffer.from(`${path}\0`);
  const fields = [inode + 1, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}`);
  return Buffer.concat([padded(Buffer.concat([header, name])), padded(data)]);
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc(-data.length & 3)]);
}
