// What the guard does besides looking at sources, as its program reads it: on which interfaces untracked lists are asked, how many
// new TCP connections there may be. Which interfaces, and how many, is the agent's to say.
import { encodeGuardInterface, GuardFlags, GuardInterface, GuardState } from '../abi/guard.gen.ts';
import type { BpfMap } from './native.ts';

/** An interface whose untagged frames to its own address end in the host's own stack, and what is asked of them. */
export interface CaredInterface {
  readonly ifindex: number;
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly asksLists: boolean;
  readonly countsSyns: boolean;
}

export interface GuardCare {
  readonly interfaces: readonly CaredInterface[];
  /** SYNs a second; 0 = any number. */
  readonly sourceRate: number;
  /** SYNs a second. */
  readonly listenerRate: number;
  readonly isProtectedPort: (port: number) => boolean;
}

export const NO_CARE: GuardCare = { interfaces: [], sourceRate: 0, listenerRate: 0, isProtectedPort: () => false };

const PORTS_PER_WORD = 32;
const { OFFSET } = GuardState;

export interface CareMaps {
  /** struct tt_guard_state */
  readonly state: Uint32Array;
  readonly interfaces: BpfMap;
  /** A bit for each port. */
  readonly ports: Uint32Array;
}

/** What is asked of more interfaces is written before it is asked of any; what is asked of fewer, after. Throws KERNEL. */
export function writeCare({ state, interfaces, ports }: CareMaps, care: GuardCare): void {
  state[OFFSET.syn_source / 4] = care.sourceRate;
  state[OFFSET.syn_listener / 4] = care.listenerRate;
  for (const word of ports.keys()) ports[word] = portBits(word, care.isProtectedPort);
  const wanted = new Set(care.interfaces.map(({ ifindex }) => ifindex));
  for (const one of care.interfaces) interfaces.update(u32(one.ifindex), bytesOf(one), 0);
  for (const ifindex of u32s(interfaces.keys())) if (!wanted.has(ifindex)) interfaces.delete(u32(ifindex));
  Atomics.store(
    state,
    OFFSET.flags / 4,
    care.interfaces.reduce((flags, one) => flags | flagsOf(one), 0),
  );
}

/** Draws what sources are hashed by: whoever knows it could have others counted with him. */
export function drawSeed(state: Uint32Array): void {
  crypto.getRandomValues(state.subarray(OFFSET.seed / 4, OFFSET.seed / 4 + 2));
}

function flagsOf({ asksLists, countsSyns }: CaredInterface): number {
  return (asksLists ? GuardFlags.LISTS : 0) | (countsSyns ? GuardFlags.SYN : 0);
}

function bytesOf(one: CaredInterface): Uint8Array {
  const bytes = new Uint8Array(GuardInterface.SIZE);
  const mac = Uint8Array.from(one.mac.split(':'), (byte) => Number.parseInt(byte, 16));
  encodeGuardInterface(new DataView(bytes.buffer), 0, { flags: flagsOf(one), mtu: one.mtu, mac });
  return bytes;
}

function portBits(word: number, isProtected: (port: number) => boolean): number {
  let bits = 0;
  for (let bit = 0; bit < PORTS_PER_WORD; bit += 1) {
    if (isProtected(PORTS_PER_WORD * word + bit)) bits |= 1 << bit;
  }
  return bits >>> 0;
}

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function u32s(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}
