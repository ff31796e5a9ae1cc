// How this layout's programs come in the place of another's, without a packet that neither judges:
//
//   fill tables of our own        (Dataplane.apply; until then the other programs judge, and are left alone)
//   every interface to the bridge (it goes on to the other side's programs)
//   cross                         (one store: all packets from here on are judged by ours)
//   every interface to ours, and the other side's programs, tables and pins go
//
// Killed anywhere, one side is in force whole, and the next agent of either layout begins from there. Where the bridge cannot
// call the programs before (bridge.ts), each interface gets ours by itself: every packet is judged once there too, but for a
// moment some interfaces have the policy before and some the one after.
import { Layout } from '../abi/common.gen.ts';
import type { Attachments, WorkloadPrograms } from './attachment.ts';
import type { Bridge } from './bridge.ts';
import { handOver } from './hand-over.ts';
import type { Pins } from './pins.ts';

/** Above the hook, in its byte. */
const MARK_SHIFT = 3;
const MARKS = 2 ** (8 - MARK_SHIFT);

export class Takeover {
  readonly #bridge: Bridge;
  readonly #pins: Pins;
  /** Layout whose tables were in force before; 0 = none. */
  readonly from: number;
  /** Programs of an agent before are on interfaces, and judge by what is not ours: they stay until our tables are complete. */
  readonly leavesOthers: boolean;
  /** Connections of before are kept in a way that is not ours: each will be judged anew. */
  readonly losesFlows: boolean;
  readonly #number: number;
  #programs: WorkloadPrograms | undefined;
  #isFinished = false;

  /** Looks at what is in force. Tables of ours that are not in force hold nobody knows what: they go. */
  constructor(bridge: Bridge, pins: Pins) {
    this.#bridge = bridge;
    this.#pins = pins;
    this.from = bridge.version;
    if (this.isNeeded && this.from !== 0) pins.removeTables();
    this.leavesOthers = this.isNeeded && (this.from !== 0 || pins.hasInterfaces);
    this.losesFlows = this.from !== 0 && !pins.isThere(pins.map('tt_flows'));
    this.#number = this.isNeeded ? numberOfOwnMark(bridge) : bridge.number;
  }

  /** What slots of the flow cache bear that our programs fill: see tt_cache_mark. Slots last a second, numbers a while. */
  get mark(): number {
    return (this.#number % MARKS) << MARK_SHIFT;
  }

  /** Tables of another layout are in force, or none. */
  get isNeeded(): boolean {
    return this.#bridge.version !== Layout.VERSION;
  }

  /** Nothing of another side is left. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Our programs are loaded: where our tables are in force already, they judge beside those before. */
  begin(programs: WorkloadPrograms): void {
    this.#programs = programs;
    if (!this.isNeeded) this.#bridge.renew(Layout.VERSION, this.#number, programs);
  }

  /** Our tables are complete: from here on they are in force. Throws PERMISSION or KERNEL: the other side still is, then. */
  cross(attachments: Attachments): void {
    if (!this.isNeeded || this.#programs === undefined) return;
    if (this.from === 0) {
      this.#bridge.renew(Layout.VERSION, this.#number, this.#programs);
      return;
    }
    this.#bridge.prepare(Layout.VERSION, this.#number, this.#programs);
    handOver(attachments, this.#bridge.leadsOn ? this.#bridge.programs : this.#programs);
    this.#bridge.join();
    this.#bridge.cross();
  }

  /** No packet is judged by the other side any more: it goes. Throws PERMISSION or KERNEL; to be called again then. */
  finish(attachments: Attachments): void {
    if (this.#programs === undefined) return;
    if (attachments.leavesOthers || this.#bridge.isApart) handOver(attachments, this.#programs);
    attachments.leavesOthers = false;
    this.#bridge.join();
    this.#bridge.clearOther();
    this.#pins.removeOthers();
    this.#isFinished = true;
  }
}

/** Whose mark is not that of the programs in force, however many attempts before came to nothing. */
function numberOfOwnMark(bridge: Bridge): number {
  const number = bridge.nextNumber();
  return number % MARKS === bridge.number % MARKS ? bridge.nextNumber() : number;
}
