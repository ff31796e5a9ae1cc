// Step ts: src -> dist, and tools + bench (with the sources they import) -> dist-tools.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { filesBelow, root, runNode } from './process.mjs';
import { isFresh, writeStamp } from './stamp.mjs';

export const typeScriptCompiler = 'node_modules/typescript/bin/tsc';

/** `roots` maps a source folder to where its output lands; `reads` are folders that only take part. */
const projects = [
  { config: 'tsconfig.build.json', out: 'dist', roots: { src: 'dist' }, reads: ['native'] },
  {
    config: 'tsconfig.tools.json',
    out: 'dist-tools',
    roots: { src: 'dist-tools/src', tools: 'dist-tools/tools', bench: 'dist-tools/bench' },
    reads: ['native', 'test/support'],
  },
];

/** Compiles the projects that changed. Returns a summary, undefined if none did. Throws BuildFailure with tsc's output. */
export async function compileTypeScript() {
  const stale = projects.filter((project) => !isFresh(project.config, inputs(project), ''));
  for (const project of stale) {
    removeStrangers(project);
    await runNode(typeScriptCompiler, ['--project', project.config]);
    writeStamp(project.config, inputs(project), '');
  }
  return stale.length === 0 ? undefined : `compiled ${stale.map((project) => project.out).join(', ')}`;
}

function inputs(project) {
  const sources = [...Object.keys(project.roots), ...project.reads].flatMap((folder) => filesBelow(folder, isSource));
  return [project.config, 'tsconfig.base.json', 'package-lock.json', ...sources, ...filesBelow(project.out, isOutput)];
}

/** A deleted source must not live on as a module that still can be imported. */
function removeStrangers(project) {
  for (const [from, to] of Object.entries(project.roots)) {
    const expected = new Set(
      filesBelow(from, isSource).map((file) => path.join(to, path.relative(from, file)).replace(/\.ts$/, '.js')),
    );
    for (const file of filesBelow(to, isOutput)) {
      const nested = Object.values(project.roots).some(
        (other) => other !== to && other.startsWith(`${to}/`) && file.startsWith(`${other}/`),
      );
      if (!nested && !expected.has(file)) rmSync(path.join(root, file));
    }
  }
}

function isSource(file) {
  return file.endsWith('.ts');
}

function isOutput(file) {
  return file.endsWith('.js');
}
