// Builds of this product that say they are of another minor version, and that answer as one may: the next has fields and reasons
// more than this one knows, the one before lacks what came since. Everything else is as it is here.
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { rolldown } from 'rolldown';
import { findProject } from '../../../tools/lab/project.ts';
import { makeBuilds } from '../../../tools/traffic/builds.ts';
import { versionAway } from '../../support/agent/skewed-api.ts';

const OUTPUT = join('build', 'skew');
const STORE_PROCESS = 'agent/flows/store-process-main.js';
/** Where answers become text. */
const ANSWERING = /[\\/]agent[\\/]api[\\/](server|stream)\.js$/;

/** In the builds: all of an answer, as JSON has it. */
const REWRITE = {
  next: `
const DICTIONARIES = new Set(['manifest', 'labels', 'annotations', 'matchLabels', 'limits', 'repairsByCause', 'leftOut', 'droppedBy']);
const COUNT = { packets: 7, bytes: 700 };
const skewed = (value, key) => {
  if (Array.isArray(value)) {
    const all = value.map((one) => skewed(one));
    return key === 'conditions'
      ? [...all, { type: 'Informed', reason: 'OfTheNext', message: 'only the next version says so', since: '2030-01-01T00:00:00.000Z' }]
      : all;
  }
  if (value === null || typeof value !== 'object' || DICTIONARIES.has(key)) return value;
  const all = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, skewed(one, name)]));
  return key === 'counters' ? { ...all, drop_of_the_next: COUNT } : { ofTheNext: { list: [1] }, ...all };
};`,
  previous: `
const NEW = new Set(['conditions', 'repairs', 'repairsByCause', 'flowLogs', 'flowStore', 'flowStreams', 'exports', 'block', 'hostEndpoints',
  'config', 'loading', 'traceId', 'service', 'tcpFlags', 'flowsLive', 'reason', 'sampled', 'waiting', 'overflowed']);
const skewed = (value) => {
  if (Array.isArray(value)) return value.map((one) => skewed(one));
  if (value === null || typeof value !== 'object') return value;
  if (value.kind !== undefined && value.apiVersion !== undefined && value.metadata?.name !== undefined) return value;
  const kept = Object.entries(value).filter(([name]) => !NEW.has(name));
  return Object.fromEntries(kept.map(([name, one]) => [name, skewed(one)]));
};`,
} as const;

export type Skew = keyof typeof REWRITE;

export interface SkewedBuild {
  readonly version: string;
  /** Path of its command. */
  readonly program: string;
}

/** Makes both, and a third that is two minor versions away. Throws what the bundler says. */
export async function makeSkewedBuilds(): Promise<Readonly<Record<Skew | 'far', SkewedBuild>>> {
  const { current } = await makeBuilds(OUTPUT);
  const make = async (name: Skew | 'far', version: string): Promise<SkewedBuild> => {
    const folder = `${current}-${name}`;
    cpSync(current, folder, { recursive: true, verbatimSymlinks: true });
    const program = name === 'far' ? join(folder, 'dist/cli/main.js') : await bundle(folder, REWRITE[name]);
    // A process of its own, which is looked for beside the module that starts it: here all are one.
    symlinkSync(join(findProject(), 'dist', STORE_PROCESS), join(folder, 'dist/cli', basename(STORE_PROCESS)));
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as object;
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, version }));
    return { version, program };
  };
  return {
    next: await make('next', versionAway(1)),
    previous: await make('previous', versionAway(-1)),
    far: await make('far', versionAway(2)),
  };
}

async function bundle(folder: string, rewrite: string): Promise<string> {
  const root = findProject();
  const made = await rolldown({
    input: join(root, 'dist/cli/main.js'),
    cwd: root,
    platform: 'node',
    plugins: [{ name: 'skew', transform: (code, id) => (ANSWERING.test(id) ? edit(code, rewrite) : null) }],
  });
  await made.write({ dir: join(folder, 'dist/cli'), format: 'esm', codeSplitting: false });
  await made.close();
  return join(folder, 'dist/cli/main.js');
}

function edit(code: string, rewrite: string): string {
  const edited = code.replaceAll(
    /JSON\.stringify\((body|value)\)/g,
    'JSON.stringify($1 === undefined ? $1 : skewed(JSON.parse(JSON.stringify($1))))',
  );
  if (edited === code) throw new Error('no answer is made there any more: see agent/api');
  return `${edited}\n${rewrite}`;
}
