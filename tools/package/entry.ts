// A file tree to be packed, as a list of entries, and the tree on disk: the same bytes, modes and times whoever writes it.
import { chmodSync, copyFileSync, lutimesSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One entry of a tree; its path has no slash before it. */
export type Entry = { readonly path: string } & (
  | { readonly kind: 'directory'; readonly mode?: number }
  | { readonly kind: 'text'; readonly text: string | Uint8Array; readonly mode?: number }
  | { readonly kind: 'copy'; readonly from: string; readonly mode?: number }
  | { readonly kind: 'link'; readonly to: string }
);

/** With the directories that they are in, each before what is in it, and each path once. Throws for a path that is there twice. */
export function completeTree(entries: readonly Entry[]): Entry[] {
  const byPath = new Map<string, Entry>();
  for (const entry of entries) {
    if (byPath.has(entry.path)) throw new Error(`${entry.path} is packed twice`);
    byPath.set(entry.path, entry);
  }
  for (const { path } of entries) {
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
      if (!byPath.has(folder)) byPath.set(folder, { path: folder, kind: 'directory' });
    }
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function modeOf(entry: Entry): number {
  if (entry.kind === 'link') return 0o777;
  return entry.mode ?? (entry.kind === 'directory' ? 0o755 : 0o644);
}

/** Writes the tree into a folder; every time of it is the given one, in seconds. */
export function writeTree(folder: string, entries: readonly Entry[], timeSeconds: number): void {
  const complete = completeTree(entries);
  for (const entry of complete) writeEntry(join(folder, entry.path), entry);
  // From the inside out: what is written into a directory changes its time.
  for (const { path } of [...complete].reverse()) lutimesSync(join(folder, path), timeSeconds, timeSeconds);
}

function writeEntry(path: string, entry: Entry): void {
  if (entry.kind === 'link') {
    symlinkSync(entry.to, path);
    return;
  }
  if (entry.kind === 'directory') mkdirSync(path);
  else if (entry.kind === 'copy') copyFileSync(entry.from, path);
  else writeFileSync(path, entry.text);
  chmodSync(path, modeOf(entry));
}
