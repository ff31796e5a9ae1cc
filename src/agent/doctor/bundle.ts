// What goes into a support bundle: everything that is asked for first when something is wrong, without secrets and of
// bounded size. How files become an archive is tar.ts.
import { redactData, redactText } from './redact.ts';
import type { TarFile } from './tar.ts';

export interface BundleItem {
  /** In the archive; .json files are made of data, others of text. */
  readonly name: string;
  readonly what: string;
  /** Which end matters when it is too long. */
  readonly keep: 'head' | 'tail';
  /** Data or text; undefined = there is none on this machine. */
  readonly read: () => unknown;
}

export interface IndexEntry {
  readonly file: string;
  readonly what: string;
  readonly bytes: number;
  /** Bytes that were left out. */
  readonly omittedBytes?: number;
  /** Why there is no such file. */
  readonly missing?: string;
}

export const MOST_FILE_BYTES = 2 * 2 ** 20;
export const MOST_BUNDLE_BYTES = 24 * 2 ** 20;

/** The files of the items under one directory, with index.json in front. An item that fails is missing, with the reason. */
export async function bundleOf(directory: string, items: readonly BundleItem[]): Promise<TarFile[]> {
  const files: TarFile[] = [];
  const index: IndexEntry[] = [];
  let room = MOST_BUNDLE_BYTES;
  for (const item of items) {
    const read = await contentOf(item);
    if (typeof read !== 'string') {
      index.push({ file: item.name, what: item.what, bytes: 0, missing: read.missing });
      continue;
    }
    const content = clip(read, Math.min(MOST_FILE_BYTES, room), item.keep);
    room -= content.length;
    const omitted = Buffer.byteLength(read) - content.length;
    const entry = { file: item.name, what: item.what, bytes: content.length };
    index.push(omitted === 0 ? entry : { ...entry, omittedBytes: omitted });
    files.push({ name: `${directory}/${item.name}`, content });
  }
  const text = `${JSON.stringify({ note: 'secrets were taken out; look through it before you hand it on', files: index }, null, 2)}\n`;
  return [{ name: `${directory}/index.json`, content: Buffer.from(text) }, ...files];
}

/** Redacted before it is cut: half a secret could not be told as one. */
async function contentOf({ read }: BundleItem): Promise<string | { readonly missing: string }> {
  try {
    const found = await read();
    if (found === undefined || found === null) return { missing: 'there is none, or it could not be read' };
    if (typeof found === 'string') return redactText(found);
    return `${JSON.stringify(redactData(found), null, 2)}\n`;
  } catch (error) {
    return { missing: redactText((error as Error).message) };
  }
}

function clip(text: string, most: number, keep: BundleItem['keep']): Buffer {
  const whole = Buffer.from(text);
  if (whole.length <= most) return whole;
  return keep === 'head' ? whole.subarray(0, most) : whole.subarray(whole.length - most);
}
