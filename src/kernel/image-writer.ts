// Writes table images into the mapped arrays, and puts an image in force by one aligned store.
import { randomFillSync, randomInt } from 'node:crypto';
import { CaptureBits } from '../abi/capture.gen.ts';
import { Root, State, StateFlags } from '../abi/heap.gen.ts';
import type { TableCompiler } from '../tables/compiler.ts';
import type { ImageRoot, TableImage } from '../tables/image.ts';
import { type Lasting, lastingNothing } from './lasting.ts';
import type { BpfMap } from './native.ts';

/** Which of two roots. */
export type RootNumber = 0 | 1;

export interface StateSettings {
  /** Established flows keep going when policy changes against them. */
  readonly keepEstablished: boolean;
  /** Both ends of a TCP connection that policy has come to deny are sent a RST. */
  readonly resetRevoked?: boolean;
  /** Deny, drop and log events per CPU and second; 0 = unlimited. */
  readonly eventBudget: number;
  /** No counts of a flow go unsaid. */
  readonly flowLogs?: boolean;
  /** Jiffies per second. */
  readonly hz: number;
}

const ROOT_WORDS = Root.SIZE / 4;
const FIRST_ROOT = State.OFFSET.root / 4;

export class ImageWriter {
  readonly #heap: Uint32Array;
  readonly #v6Nodes: Uint32Array;
  readonly #state: Uint32Array;
  readonly #lasting: Lasting;
  /** As configured: values by their place in the state. */
  #settings: ReadonlyMap<number, number> = new Map();
  /** Flags that no configuration has: see captureDenied. */
  #captured = 0;

  constructor(
    maps: { readonly heap: BpfMap; readonly v6Nodes: BpfMap; readonly state: BpfMap },
    lasting: Lasting = lastingNothing(),
  ) {
    this.#lasting = lasting;
    this.#heap = new Uint32Array(maps.heap.mmap());
    this.#v6Nodes = new Uint32Array(maps.v6Nodes.mmap());
    this.#state = new Uint32Array(maps.state.mmap());
  }

  get generation(): number {
    return this.#rootWord('generation');
  }

  /** The root that packets are judged by. */
  get activeRoot(): RootNumber {
    return this.#active;
  }

  /** Settings apply to every packet from here on. The seed of the flow table is drawn once, for as long as flows are pinned. */
  configure({ keepEstablished, resetRevoked = false, eventBudget, flowLogs = false, hz }: StateSettings): void {
    const flags =
      (keepEstablished ? StateFlags.KEEP_ESTABLISHED : 0) |
      (resetRevoked ? StateFlags.RESET_REVOKED : 0) |
      (flowLogs ? StateFlags.FLOW_LOGS : 0) |
      this.#captured;
    const at = State.OFFSET.flow_seed / 4;
    const seed = this.#state.subarray(at, at + 2);
    if (isZero(seed)) seed.set(this.#lasting.flowSeed);
    if (isZero(seed)) seed.set(randomFillSync(new Uint32Array(2)));
    this.#lasting.flowSeed.set(seed);
    const markAt = State.OFFSET.reset_mark / 4;
    const mark = this.#state[markAt] || randomInt(1, 2 ** 32);
    this.#settings = new Map([
      [at, seed[0] as number],
      [at + 1, seed[1] as number],
      [markAt, mark],
      [State.OFFSET.hz / 4, hz],
      [State.OFFSET.event_budget / 4, eventBudget],
      [State.OFFSET.flags / 4, flags],
    ]);
    this.restoreSettings();
    this.forgetCachedFlows();
  }

  /** Whether every packet that is denied is captured. */
  captureDenied(isOn: boolean): void {
    const at = State.OFFSET.flags / 4;
    this.#captured = isOn ? CaptureBits.DENIED : 0;
    const flags = ((this.#settings.get(at) ?? 0) & ~CaptureBits.DENIED) | this.#captured;
    this.#settings = new Map([...this.#settings, [at, flags]]);
    this.restoreSettings();
  }

  /** Has the settings in force that were configured last. Returns whether there were others. */
  restoreSettings(): boolean {
    const others = [...this.#settings].filter(([at, value]) => this.#state[at] !== value >>> 0);
    for (const [at, value] of others) Atomics.store(this.#state, at, value);
    return others.length > 0;
  }

  /** Hands the image in force to an empty compiler, so that it reuses its regions and writes around them. */
  adopt(compiler: TableCompiler): void {
    compiler.adopt(
      { heap: this.#heap, v6Nodes: this.#v6Nodes },
      {
        v4Root: this.#rootWord('v4_root'),
        v6Root: this.#rootWord('v6_root'),
        l4Classes: this.#rootWord('l4_classes'),
        sourceClasses: this.#rootWord('source_classes'),
        policies: this.#rootWord('policies'),
        directory: this.#rootWord('directory'),
        directoryRegions: this.#rootWord('directory_regions'),
      },
    );
  }

  /**
   * Puts the image in force. Packets that started before are judged by the image before, later ones by this one.
   * Returns false, and changes nothing, when it already is in force.
   */
  publish(image: TableImage, compiler: TableCompiler): boolean {
    this.write(image, compiler);
    return this.putInForce(image.root);
  }

  /**
   * Writes what the image has that those before had not, where no packet reads yet. To be done for every image that was
   * compiled: later ones count on it, whether this one is ever put in force or not.
   */
  write(image: TableImage, compiler: TableCompiler): void {
    const { heap, v6Nodes } = image.written;
    for (const { offset, length } of heap)
      this.#heap.set(compiler.heap.words.subarray(offset, offset + length), offset);
    for (const { offset, length } of v6Nodes) {
      this.#v6Nodes.set(compiler.v6Nodes.words.subarray(offset, offset + length), offset);
    }
  }

  /** Puts an image that is written in force; false, and nothing changed, when it already is. */
  putInForce(root: ImageRoot): boolean {
    if (this.#isInForce(root)) return false;
    this.#switchTo(root);
    return true;
  }

  /** Has every packet checked in full again, not by the flow cache: after a change that no image shows. */
  forgetCachedFlows(): void {
    Atomics.add(this.#state, State.OFFSET.stamp / 4, 1);
  }

  /**
   * Puts an image that is written in force under the other root, though it may be in force already: what is not part of an image
   * but goes with the root comes into force, and every established flow is judged again. Only once no packet is judged by
   * the root before.
   */
  judgeFlowsAgain(root: ImageRoot): void {
    this.#switchTo(root);
  }

  #switchTo(root: ImageRoot): void {
    const next = 1 - this.#active;
    const at = FIRST_ROOT + next * ROOT_WORDS;
    // Given out before it is in force: a flow may bear it from then on.
    const generation = (Math.max(this.generation, this.#lasting.lastGeneration) + 1) >>> 0;
    this.#lasting.lastGeneration = generation;
    this.#state.set(rootWords(root, generation), at);
    Atomics.store(this.#state, State.OFFSET.active / 4, next);
    this.forgetCachedFlows();
  }

  get #active(): RootNumber {
    return ((this.#state[State.OFFSET.active / 4] as number) & 1) as RootNumber;
  }

  #rootWord(field: keyof typeof Root.OFFSET): number {
    return this.#state[FIRST_ROOT + this.#active * ROOT_WORDS + Root.OFFSET[field] / 4] as number;
  }

  #isInForce(root: ImageRoot): boolean {
    const wanted = rootWords(root, this.generation);
    const at = FIRST_ROOT + this.#active * ROOT_WORDS;
    return wanted.every((word, index) => this.#state[at + index] === word);
  }
}

function isZero(words: Uint32Array): boolean {
  return words.every((word) => word === 0);
}

function rootWords(root: ImageRoot, generation: number): Uint32Array {
  const words = new Uint32Array(ROOT_WORDS);
  words[Root.OFFSET.v4_root / 4] = root.v4Root;
  words[Root.OFFSET.v6_root / 4] = root.v6Root;
  words[Root.OFFSET.l4_classes / 4] = root.l4Classes;
  words[Root.OFFSET.source_classes / 4] = root.sourceClasses;
  words[Root.OFFSET.policies / 4] = root.policies;
  words[Root.OFFSET.generation / 4] = generation;
  words[Root.OFFSET.directory / 4] = root.directory;
  words[Root.OFFSET.directory_regions / 4] = root.directoryRegions;
  return words;
}
