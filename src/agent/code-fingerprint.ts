// Names the code that reads manifests: what one version of it accepted, another may refuse.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION } from './version.ts';

const FOLDERS = ['base', 'resources', 'model'] as const;
const LIBRARIES = ['js-yaml', 'yaml', 'zod'] as const;

/** Of every module that has a say in whether a manifest is accepted and what it is read as. */
export function codeFingerprint(): string {
  const hash = createHash('sha256').update(VERSION);
  for (const folder of FOLDERS) {
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
