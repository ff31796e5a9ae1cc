// A generated world with flows to ask about it, and the world built from it the way the product does.
import fc from 'fast-check';
import { formatAddress } from '../../../src/model/address.ts';
import { buildWorld } from '../../../src/model/build-world.ts';
import type { Flow } from '../../../src/model/flow.ts';
import type { World } from '../../../src/model/world.ts';
import { parseDocuments } from '../../../src/resources/document.ts';
import { flowAmong } from './flows.ts';
import { type Manifest, manifests } from './manifests.ts';

export interface Question {
  readonly manifests: readonly Manifest[];
  readonly flows: readonly Flow[];
}

/** Worlds with that many flows each. */
export function questions(flowsPerWorld: number): fc.Arbitrary<Question> {
  return manifests.chain((made) =>
    fc
      .array(flowAmong(ownedAddresses(made)), { minLength: flowsPerWorld, maxLength: flowsPerWorld })
      .map((flows) => ({ manifests: made, flows })),
  );
}

/** Throws on any error: what the generator makes is valid. */
export function worldOf(made: readonly Manifest[]): World {
  const text = made.map((manifest) => JSON.stringify(manifest)).join('\n---\n');
  const { resources, errors } = parseDocuments(text, 'generated.yaml');
  const { world, errors: worldErrors } = buildWorld(resources);
  const first = [...errors, ...worldErrors][0];
  if (first !== undefined) throw first;
  return world;
}

/** For a failure's report. */
export function describeFlow({ source, destination, ...rest }: Flow): string {
  return JSON.stringify({ src: formatAddress(source), dst: formatAddress(destination), ...rest });
}

/** A fresh seed each run, printed so that a failure can be run again with TORTIE_SEED. */
export function newSeed(subject: string): number {
  const seed = Number(process.env.TORTIE_SEED ?? Date.now() % 2 ** 31);
  console.info(`${subject}: TORTIE_SEED=${seed}`);
  return seed;
}

function ownedAddresses(made: readonly Manifest[]): string[] {
  return made
    .filter(({ kind }) => kind === 'WorkloadEndpoint')
    .flatMap(({ spec }) =>
      (spec as { ipNetworks: string[] }).ipNetworks.map((network) => network.replace(/\/\d+$/, '')),
    );
}
