// One cold start in a process of its own: reads a directory of manifests as an agent does, resolves and compiles it for
// one node, and prints what that took.
import { performance } from 'node:perf_hooks';
import type { DataplaneError } from '../src/base/errors.ts';
import { CalcGraph } from '../src/calc/graph.ts';
import { ModelStore } from '../src/model/build-world.ts';
import { parseResource } from '../src/model/parse/parse-resource.ts';
import type { ParseResult } from '../src/model/parse/result.ts';
import type { Resource } from '../src/resources/resource.ts';
import { DEFAULT_MANIFEST_LIMITS } from '../src/resources/sources/manifest-limits.ts';
import { type ManifestMemory, ManifestSet } from '../src/resources/sources/manifest-set.ts';
import { releaseContents } from '../src/resources/text-resource.ts';
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

/** As an agent does: what an object says is let go of once its meaning is known and a store would have it. */
function parse(directory: string): { objects: ReadonlyMap<string, Resource>; meanings: Map<Resource, ParseResult> } {
  const meanings = new Map<Resource, ParseResult>();
  const check = (resource: Resource): readonly DataplaneError[] => {
    const meaning = parseResource(resource);
    meanings.set(resource, meaning);
    return meaning.errors;
  };
  const memory: ManifestMemory = {
    recall: () => new Map(),
    remember: (_path, _text, resources) => releaseContents(resources),
    forget: () => undefined,
  };
  const grace = { vanishedMs: 0, truncatedMs: 0 };
  const manifests = new ManifestSet(directory, { grace, limits: LIMITS, check, memory });
  const { objects, errors } = manifests.scan(0).snapshot;
  if (errors.length > 0) throw errors[0];
  return { objects, meanings };
}

function measure(directory: string): ScaleReading {
  const startMs = performance.now();
  const { objects, meanings } = parse(directory);
  const parsedMs = performance.now();
  const store = new ModelStore((resource) => meanings.get(resource) ?? parseResource(resource));
  store.apply(objects.values());
  meanings.clear();
  const graph = new CalcGraph(({ node }) => node === LOCAL_NODE);
  for (const some of Object.values(store.world)) graph.apply(some.values(), []);
  const image = new TableCompiler().compile(graph.flush());
  if (image.counts.endpoints === 0) throw new Error('no endpoint is local: nothing was measured');
  const endMs = performance.now();
  const rssBytes = process.resourceUsage().maxRSS * 1024;
  return { parseMs: parsedMs - startMs, computeMs: endMs - parsedMs, rssBytes };
}

process.stdout.write(`${JSON.stringify(measure(process.argv[2] ?? ''))}\n`);
