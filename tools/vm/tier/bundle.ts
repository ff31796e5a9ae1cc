// Compiles tests for guests, on the host: each file becomes one module, what they share is shared. Nothing is run here.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Plugin, rolldown } from 'rolldown';
import { findProject } from '../../lab/project.ts';

const OUTPUT = path.join('build', 'vm');

/** Absolute path of each module, by the source's path relative to the project. */
export type CompiledTests = ReadonlyMap<string, string>;

/** Whoever looks for files beside its source finds them, wherever it is compiled to. */
const keepPlaces: Plugin = {
  name: 'keep-places',
  transform(code, id) {
    if (!/import\.meta\.(dirname|url)/.test(code)) return null;
    return code
      .replaceAll('import.meta.dirname', JSON.stringify(path.dirname(id)))
      .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href));
  },
};

/**
 * An agent reads its own sources, to know whether it is the version that wrote what it finds. No guest sees two versions, and
 * hundreds of files from the host's disk are a good part of each start.
 */
const oneVersion: Plugin = {
  name: 'one-version',
  transform(code, id) {
    if (!id.endsWith(path.join('agent', 'code-fingerprint.ts'))) return null;
    const constant = code.replace(
      /(?<=export function codeFingerprint\([^)]*\)[^{]*\{)[\s\S]*?(?=\n\})/,
      "return folders.join(' ');",
    );
    if (constant === code) throw new Error(`${id}: no codeFingerprint to replace`);
    return constant;
  },
};

/** Throws what the compiler says. */
export async function compileTests(sources: readonly string[]): Promise<CompiledTests> {
  const root = findProject();
  const output = path.join(root, OUTPUT);
  rmSync(output, { recursive: true, force: true });
  const names = new Map(sources.map((source) => [source, source.replace(/\.ts$/, '').replaceAll(/[/.]/g, '-')]));
  const build = await rolldown({
    input: Object.fromEntries([...names].map(([source, name]) => [name, path.join(root, source)])),
    cwd: root,
    platform: 'node',
    resolve: { alias: { vitest: path.join(root, 'tools/vm/tier/vitest-stand-in.ts') } },
    plugins: [oneVersion, keepPlaces],
    logLevel: 'warn',
  });
  await build.write({ dir: output, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: 'shared-[hash].mjs' });
  await build.close();
  return new Map([...names].map(([source, name]) => [source, path.join(output, `${name}.mjs`)]));
}
