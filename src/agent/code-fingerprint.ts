// Names the code that reads manifests, and that which makes tables of them: what one version of it accepted, another may
// refuse, and two versions need not make the same tables.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION } from './version.ts';

/** Have a say in whether a manifest is accepted and what it is read as. */
export const READING_FOLDERS = ['base', 'resources', 'model'] as const;
/** Have a say in what is in the kernel in the end. */
export const ENFORCING_FOLDERS = [...READING_FOLDERS, 'calc', 'abi', 'tables', 'kernel', 'agent'] as const;
const LIBRARIES = ['js-yaml', 'yaml', 'zod'] as const;

/** Of every module of these folders and of the libraries that read manifests. */
export function codeFingerprint(folders: readonly string[] = READING_FOLDERS): string {
  const hash = createHash('sha256').update(VERSION);
  for (const folder of folders) {
    const root = fileURLToPath(new URL(`../${folder}`, import.meta.url));
    const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) {
      hash.update(`\0${path.slice(root.length)}\0`).update(readFileSync(path));
    }
  }
  for (const library of LIBRARIES) hash.update(`\0${library} ${libraryVersion(library)}`);
  return hash.digest('base64url');
}

function libraryVersion(name: string): string {
  const manifest = createRequire(import.meta.url)(`${name}/package.json`) as { readonly version: string };
  return manifest.version;
}
