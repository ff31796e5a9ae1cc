// A generated world with flows to ask about it, and the world built from it the way the product does.
import { formatAddress } from '../../../src/model/address.ts';
import { buildWorld } from '../../../src/model/build-world.ts';
import type { Flow } from '../../../src/model/flow.ts';
import { formatTrace, type TraceEntry } from '../../../src/model/trace.ts';
import type { FlowVerdict } from '../../../src/model/verdict.ts';
import type { World } from '../../../src/model/world.ts';
import { parseDocuments } from '../../../src/resources/document.ts';
import type { Resource } from '../../../src/resources/resource.ts';
import { flowAmong } from './flows.ts';
import { type Manifest, manifestsOf } from './manifests.ts';
import { Random } from './random.ts';
import { surroundingsOf } from './surroundings.ts';

export interface Question {
  readonly manifests: readonly Manifest[];
  readonly flows: readonly Flow[];
}

/** World number `index` of a seed, with that many flows. */
export function questionOf(seed: number, index: number, flowCount: number): Question {
  const random = new Random(seed, index);
  const manifests = manifestsOf(random);
  return { manifests, flows: flowsAmong(random, manifests, flowCount) };
}

export function flowsAmong(random: Random, manifests: readonly Manifest[], flowCount: number): Flow[] {
  const around = surroundingsOf(manifests);
  return Array.from({ length: flowCount }, () => flowAmong(random, around));
}

/** As in a file, with every field on a line of its own: verdicts say which line decided. */
export function textOf(manifest: Manifest): string {
  return JSON.stringify(manifest, undefined, 1);
}

/** The resources of the manifests. Throws on any error: what the generators make is valid. */
export function resourcesOf(manifests: readonly Manifest[]): readonly Resource[] {
  const text = manifests.map(textOf).join('\n---\n');
  const { resources, errors } = parseDocuments(text, 'generated.yaml');
  if (errors[0] !== undefined) throw errors[0];
  return resources;
}

/** Throws on any error. */
export function worldOf(manifests: readonly Manifest[]): World {
  const { world, errors } = buildWorld(resourcesOf(manifests));
  if (errors[0] !== undefined) throw errors[0];
  return world;
}

/** For a failure's report: a question of `tortie verdict`. */
export function describeFlow({ source, destination, ...rest }: Flow): string {
  const { protocol, sourcePort: srcPort, destinationPort: dstPort, icmpType, icmpCode } = rest;
  const [src, dst] = [formatAddress(source), formatAddress(destination)];
  return JSON.stringify({ src, dst, protocol, srcPort, dstPort, icmpType, icmpCode });
}

/** For a failure's report: the whole verdict, with the lines that decided. */
export function describeVerdict(verdict: FlowVerdict): string {
  return describeTraces(verdict);
}

/** Of any answer, with its traces as lines. */
export function describeTraces(verdict: unknown): string {
  return JSON.stringify(verdict, (key, value) => (key === 'trace' ? linesOf(value) : value));
}

function linesOf(trace: readonly TraceEntry[]): string[] {
  return formatTrace(trace).map((text, index) => `${text} (line ${trace[index]?.location?.line ?? 'none'})`);
}

/** A fresh seed each run, printed so that a failure can be run again with TORTIE_SEED. */
export function newSeed(subject: string): number {
  const seed = Number(process.env.TORTIE_SEED ?? Date.now() % 2 ** 31);
  console.info(`${subject}: TORTIE_SEED=${seed}`);
  return seed;
}
