// Builds that differ from the project's own in the C sources, and so in programs, layouts, or both: an agent of one takes over
// from an agent of another. Made by the project's own build steps from a copy of the sources.
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { Layout } from '../../src/abi/common.gen.ts';
import { DataplaneError } from '../../src/base/errors.ts';
import { runCommand } from '../../src/bench/command.ts';
import { findProject } from './project.ts';

/** What the steps bpf and abi are made of. */
const SOURCES = ['bpf', 'tools/build.mjs', 'tools/build-steps', 'tools/gen-abi.ts', 'tools/gen-abi', 'package.json'];
const CONFIGURATION = ['tsconfig.base.json', 'tsconfig.gen-abi.json'];
const OBJECTS = ['workload.bpf.o', 'bridge.bpf.o'];
/** The module that the build's command has for each header. */
const ABI_MODULE = /[\\/]abi[\\/]([\w-]+)\.gen\.js$/;

/** Text of a source and what stands there instead. */
type Edit = readonly [source: string, from: string, to: string];

export interface Variant {
  /** Told apart by `tortie version`. */
  readonly name: string;
  readonly edits: readonly Edit[];
}

/** Fields that every packet reads are elsewhere, for programs and agent alike. */
export function otherLayout(version: number): Variant {
  return {
    name: `layout-${version}`,
    edits: [
      ['bpf/abi/common.h', `TT_LAYOUT_VERSION = ${Layout.VERSION},`, `TT_LAYOUT_VERSION = ${version},`],
      ['bpf/abi/heap.h', 'struct tt_root {\n', 'struct tt_root {\n\t__u8 _pad[8];\n'],
      ['bpf/abi/heap.h', '\t__u64 flow_seed;', '\t__u8 _pad[16];\n\t__u64 flow_seed;'],
      ['bpf/abi/endpoint.h', '__u8 _pad[4];\n\tstruct tt_address v4;', '__u8 _pad[12];\n\tstruct tt_address v4;'],
    ],
  };
}

/** Connections are kept in another way as well, or it is said that they are. */
export function otherLiveLayout(version: number, liveVersion: number): Variant {
  const { edits } = otherLayout(version);
  const live = `TT_LAYOUT_LIVE_VERSION = ${Layout.LIVE_VERSION},`;
  return {
    name: `live-layout-${liveVersion}`,
    edits: [...edits, ['bpf/abi/common.h', live, `TT_LAYOUT_LIVE_VERSION = ${liveVersion},`]],
  };
}

/** The same layout, other instructions. */
export const OTHER_PROGRAMS: Variant = {
  name: 'programs',
  edits: [['bpf/stages/flow-table.h', 'TT_FLOW_TRIES = 32,', 'TT_FLOW_TRIES = 24,']],
};

/**
 * Makes `folder` a build that is a variant of another one. Returns the folder. Throws KERNEL with what a tool says, USAGE
 * where the sources are not as they are expected.
 */
export async function makeVariant(build: string, folder: string, { name, edits }: Variant): Promise<string> {
  const source = join(folder, 'source');
  rmSync(folder, { recursive: true, force: true });
  copySources(source);
  for (const edit of edits) apply(source, edit);
  await runCommand([process.execPath, join(source, 'tools/build.mjs'), 'bpf', 'abi']);
  cpSync(build, folder, { recursive: true, verbatimSymlinks: true });
  for (const object of OBJECTS) cpSync(join(source, 'build/bpf', object), join(folder, 'build/bpf', object));
  await bundle(source, folder);
  const manifest = join(folder, 'package.json');
  const { version, ...rest } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  writeFileSync(manifest, JSON.stringify({ ...rest, version: `${version}-${name}` }));
  return folder;
}

function copySources(source: string): void {
  const root = findProject();
  for (const path of [...SOURCES, ...CONFIGURATION]) cpSync(join(root, path), join(source, path), { recursive: true });
  mkdirSync(join(source, 'src'));
  symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'));
}

function apply(source: string, [header, from, to]: Edit): void {
  const path = join(source, header);
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) {
    throw new DataplaneError('USAGE', 'does not have the text that is to be edited', {
      operation: 'make a variant',
      target: header,
      expected: from,
    });
  }
  writeFileSync(path, text.replace(from, to));
}

/** The project's command, with the modules of the other headers. */
async function bundle(source: string, folder: string): Promise<void> {
  const root = findProject();
  const made = await rolldown({
    input: join(root, 'dist/cli/main.js'),
    cwd: root,
    platform: 'node',
    plugins: [
      {
        name: 'variant',
        resolveId: (id) => {
          const name = ABI_MODULE.exec(id)?.[1];
          return name === undefined ? undefined : join(source, 'src/abi', `${name}.gen.ts`);
        },
      },
    ],
  });
  await made.write({ dir: join(folder, 'dist/cli'), format: 'esm', codeSplitting: false });
  await made.close();
}
