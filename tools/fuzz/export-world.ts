// A generated world under two policies, as one file for the harness: compiled tables, endpoints, and what the reference
// evaluator says to all that may be asked. The layout is read by test/fuzz/harness/world.cc.

import { desiredStateOf } from '../../src/agent/offline.ts';
import type { DesiredState, ResolvedEndpoint } from '../../src/calc/resolved.ts';
import { mappedWords } from '../../src/kernel/endpoint-writer.ts';
import type { Cidr, IpAddress } from '../../src/model/address.ts';
import { parseAddress, parseCidr } from '../../src/model/address.ts';
import { ReferenceEvaluator } from '../../src/model/reference/evaluator.ts';
import type { World } from '../../src/model/world.ts';
import { TableCompiler } from '../../src/tables/compiler.ts';
import type { ImageRoot } from '../../src/tables/image.ts';
import { identityOf, type Manifest, manifestsOf } from '../../test/support/worlds/manifests.ts';
import { worldOf } from '../../test/support/worlds/questions.ts';
import { Random } from '../../test/support/worlds/random.ts';
import { surroundingsOf } from '../../test/support/worlds/surroundings.ts';
import { sourceRowsOf } from './source-rows.ts';
import { answersOf, type Combo, chooseAddresses, combosOf } from './truth-table.ts';
import { WordFile } from './word-file.ts';

/** 'TTFW', and the version of this layout. */
const MAGIC = 0x57465454;
const VERSION = 2;

const MAX_ENDPOINTS = 8;
const MAX_ADDRESSES = 14;
const MAX_PORTS = 7;
/** Of what no workload is likely to have. */
const FAR = ['192.0.2.1', '255.255.255.255', '224.0.0.1', '127.0.0.1', '2001:db8:ffff::1', '::', 'fe80::1', 'ff02::1'];

/** Prefixes around and within the place that the programs keep IPv4 addresses at, and all of IPv4. */
const ODD_SOURCES = ['::/0', '::/64', '::/80', '::ffff:0:0/96', '::ffff:10.0.0.0/104', '0.0.0.0/0'];
const ODD_PERCENT = 40;

/** Only worlds in which workloads can talk to each other are worth a packet. */
const MIN_ENDPOINTS = 3;

export interface FuzzWorld {
  readonly content: Uint8Array;
  readonly endpoints: number;
  /** Verdicts in both truth tables. */
  readonly answers: number;
}

/** World number `index` of a seed, or a later one that has enough endpoints. Throws if none of a hundred has. */
export function exportWorld(seed: number, index: number): FuzzWorld {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const random = new Random(seed, index * 1000 + attempt);
    const manifests = manifestsOf(random);
    const [first, second] = [worldOf(manifests), worldOf(otherPolicies(random, manifests))];
    if (addressedOf(desiredStateOf(first, '*')).length < MIN_ENDPOINTS) continue;
    return write(first, second, random, manifests);
  }
  throw new RangeError(`no world of seed ${seed} near ${index} has ${MIN_ENDPOINTS} endpoints`);
}

/** An endpoint without an address sends and gets nothing. */
function addressedOf(desired: DesiredState): (readonly [key: string, resolved: ResolvedEndpoint])[] {
  return [...desired.endpoints].filter(([, { endpoint }]) => endpoint.addresses.length > 0);
}

/** The same workloads with some policies gone, and some of another world's. */
function otherPolicies(random: Random, manifests: readonly Manifest[]): Manifest[] {
  const isPolicy = ({ kind }: Manifest): boolean => String(kind).endsWith('Policy');
  const kept = manifests.filter((manifest) => !isPolicy(manifest) || random.chance(50));
  const known = new Set(manifests.map(identityOf));
  const tiers = new Set<unknown>(manifests.filter(({ kind }) => kind === 'Tier').map(tierName));
  const others = manifestsOf(random).filter(
    (manifest) => isPolicy(manifest) && !known.has(identityOf(manifest)) && tiers.has(specTier(manifest)),
  );
  return [...kept, ...others];
}

function tierName({ metadata }: Manifest): unknown {
  return (metadata as { name?: unknown }).name;
}

function specTier({ spec }: Manifest): unknown {
  return (spec as { tier?: unknown } | undefined)?.tier;
}

function write(first: World, second: World, random: Random, manifests: readonly Manifest[]): FuzzWorld {
  const compiler = new TableCompiler();
  const desired = desiredStateOf(first, '*');
  const images = [compiler.compile(desired), compiler.compile(desiredStateOf(second, '*'))] as const;
  const endpoints = addressedOf(desired).slice(0, MAX_ENDPOINTS);
  const around = surroundingsOf(manifests);
  const own = endpoints.flatMap(([, { endpoint }]) => endpoint.addresses);
  const others = random.shuffle([...around.owned[4], ...around.owned[6], ...around.edges[4], ...around.edges[6]]);
  const far = FAR.map((text) => parseAddress(text) as IpAddress);
  const candidates = [...own, ...random.some(far), ...others, ...far];
  const addresses = [chooseAddresses(candidates, 4, MAX_ADDRESSES), chooseAddresses(candidates, 6, MAX_ADDRESSES)];
  const combos = combosOf(random.shuffle(around.ports).slice(0, MAX_PORTS));

  const file = new WordFile().words(MAGIC, VERSION);
  file.counted(compiler.heap.words.subarray(0, compiler.heap.usedWords));
  file.counted(compiler.v6Nodes.words.subarray(0, compiler.v6Nodes.usedWords));
  for (const { root } of images) file.words(...rootWords(root));
  file.words(endpoints.length);
  const senders = endpoints.map(([key, { endpoint }]) => ({
    id: images[0].endpointIds.get(key) as number,
    addresses: endpoint.addresses,
    allowedSourcePrefixes: [...endpoint.allowedSourcePrefixes, ...oddSources(random)],
  }));
  for (const sender of senders) writeEndpoint(file, sender);
  const rows = sourceRowsOf(senders);
  file.words(rows.length);
  for (const { key, value } of rows) file.bytes(key).bytes(value);
  for (const family of addresses) file.words(family.length, ...family.flatMap(mappedWords));
  file.words(combos.length, ...combos.flatMap(comboWords));
  let answers = 0;
  for (const world of [first, second]) {
    const evaluator = new ReferenceEvaluator(world);
    for (const family of addresses) {
      const table = answersOf(evaluator, family, combos);
      answers += table.length;
      file.bytes(table);
    }
  }
  return { content: file.content(), endpoints: endpoints.length, answers };
}

function rootWords(root: ImageRoot): number[] {
  return [root.v4Root, root.v6Root, root.l4Classes, root.sourceClasses, root.policies];
}

function oddSources(random: Random): Cidr[] {
  if (!random.chance(ODD_PERCENT)) return [];
  return random.list(1, 2, () => parseCidr(random.pick(ODD_SOURCES)) as Cidr);
}

interface Sender {
  readonly id: number;
  readonly addresses: readonly IpAddress[];
  readonly allowedSourcePrefixes: readonly Cidr[];
}

function writeEndpoint(file: WordFile, { id, addresses, allowedSourcePrefixes }: Sender): void {
  file.words(id, addresses.length, ...addresses.flatMap(mappedWords));
  file.words(allowedSourcePrefixes.length, ...allowedSourcePrefixes.flatMap(prefixWords));
}

/** Bits count from the start of the mapped address; then the family that it was written in. */
function prefixWords(prefix: Cidr): number[] {
  return [...mappedWords(prefix), prefix.length + (prefix.family === 4 ? 96 : 0), prefix.family];
}

function comboWords({ protocol, sourcePort, destinationPort, icmpType, icmpCode }: Combo): number[] {
  return [protocol, sourcePort, destinationPort, icmpType, icmpCode];
}
