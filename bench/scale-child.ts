// One cold start in a process of its own: reads a directory of manifests as an agent does, resolves and compiles it for
// one node, and prints what that took.
import { performance } from 'node:perf_hooks';
import { CalcGraph } from '../src/calc/graph.ts';
import { ModelStore } from '../src/model/build-world.ts';
import { parseAccepted, parseResource } from '../src/model/parse/parse-resource.ts';
import { DEFAULT_MANIFEST_LIMITS } from '../src/resources/sources/manifest-limits.ts';
import { ManifestSet } from '../src/resources/sources/manifest-set.ts';
import { TableCompiler } from '../src/tables/compiler.ts';
import { LOCAL_NODE } from './scale-world.ts';

export interface ScaleReading {
  /** Reading, YAML, shapes and meanings of all objects. */
  readonly parseMs: number;
  /** From accepted objects to tables. */
  readonly computeMs: number;
  /** The most that the process took. */
  readonly rssBytes: number;
}

const LIMITS = { ...DEFAULT_MANIFEST_LIMITS, values: 8_000_000 };

function measure(directory: string): ScaleReading {
  const startMs = performance.now();
  const grace = { vanishedMs: 0, truncatedMs: 0 };
  const check = (resource: Parameters<typeof parseResource>[0]) => parseResource(resource).errors;
  const { objects, errors } = new ManifestSet(directory, { grace, limits: LIMITS, check }).scan(0).snapshot;
  if (errors.length > 0) throw errors[0];
  const parsedMs = performance.now();
  const store = new ModelStore(parseAccepted);
  store.apply(objects.values());
  const graph = new CalcGraph(({ node }) => node === LOCAL_NODE);
  for (const some of Object.values(store.world)) graph.apply(some.values(), []);
  const image = new TableCompiler().compile(graph.flush());
  if (image.counts.endpoints === 0) throw new Error('no endpoint is local: nothing was measured');
  const endMs = performance.now();
  const rssBytes = process.resourceUsage().maxRSS * 1024;
  return { parseMs: parsedMs - startMs, computeMs: endMs - parsedMs, rssBytes };
}

process.stdout.write(`${JSON.stringify(measure(process.argv[2] ?? ''))}\n`);
