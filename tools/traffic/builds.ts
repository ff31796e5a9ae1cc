// Two builds of tortie side by side for machines that load many small files slowly: all modules in one, the rest linked. The second
// says that it is a later version, which makes it one: nothing that an agent of the first noted about itself holds for it.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { findProject } from '../lab/project.ts';

const OUTPUT = join('build', 'traffic');

export interface Builds {
  /** Folders that are like the project's own once it is built. */
  readonly current: string;
  readonly next: string;
}

/** Makes both anew below `output`, a path in the project. Throws what the bundler says, e.g. when the project is not built. */
export async function makeBuilds(output = OUTPUT): Promise<Builds> {
  const root = findProject();
  const folder = (name: string) => join(root, output, name);
  rmSync(join(root, output), { recursive: true, force: true });
  const bundle = await rolldown({ input: join(root, 'dist/cli/main.js'), cwd: root, platform: 'node' });
  await bundle.write({ dir: join(folder('current'), 'dist/cli'), format: 'esm', codeSplitting: false });
  await bundle.close();
  cpSync(folder('current'), folder('next'), { recursive: true });
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  finish(root, folder('current'), manifest);
  finish(root, folder('next'), { ...manifest, version: `${manifest.version}-next` });
  return { current: folder('current'), next: folder('next') };
}

function finish(root: string, folder: string, manifest: object): void {
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  for (const name of readdirSync(join(root, 'dist')).filter((one) => one !== 'cli')) {
    symlinkSync(join(root, 'dist', name), join(folder, 'dist', name));
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  // What is loaded into the kernel is copied: a build that runs must not change under it.
  mkdirSync(join(folder, 'build/Release'), { recursive: true });
  for (const name of ['build/bpf', 'build/Release/tortie.node']) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
}
