// The `kernel` engine: each flow's first packet goes through the loaded programs, as sent by its source's endpoint and
// as received by its destination's.
import { EventKind } from '../abi/event.gen.ts';
import type { DesiredState } from '../calc/resolved.ts';
import { formatAddress } from '../model/address.ts';
import type { Flow } from '../model/flow.ts';
import { combineSides, type FlowVerdict, type SideVerdict } from '../model/verdict.ts';
import { decodeWord } from '../tables/words.ts';
import { DetachedDataplane, type DetachedOptions } from './detached-dataplane.ts';
import { probePacket } from './probe-packet.ts';

/** linux/pkt_cls.h */
const TC_ACT_SHOT = 2;

interface Local {
  readonly key: string;
  readonly displayName: string;
}

export type KernelRoom = Pick<DetachedOptions, 'sizes' | 'endpoints'>;

export class KernelEvaluator {
  readonly #dataplane: DetachedDataplane;
  #byAddress: ReadonlyMap<string, Local>;

  /** Loads the programs and writes the desired state. Throws PERMISSION, PROGRAM_REJECTED, TABLE_FULL. */
  constructor(desired: DesiredState, room: KernelRoom = {}) {
    const sizes = { flows: 512, flowCache: 1, eventBytes: 65536 };
    this.#dataplane = new DetachedDataplane(desired, { object: 'workload', ...sizes, ...room });
    this.#byAddress = localsOf(desired);
  }

  /** Judges by another desired state from here on. Throws TABLE_FULL. */
  load(desired: DesiredState): void {
    this.#dataplane.load(desired);
    this.#byAddress = localsOf(desired);
  }

  evaluate(flow: Flow): FlowVerdict {
    const sender = this.#byAddress.get(formatAddress(flow.source));
    const receiver = this.#byAddress.get(formatAddress(flow.destination));
    const packet = probePacket(flow);
    return combineSides(
      sender === undefined ? null : this.#judge('tt_from_work', sender, packet),
      receiver === undefined ? null : this.#judge('tt_to_work', receiver, packet),
    );
  }

  close(): void {
    this.#dataplane.close();
  }

  /** The verdict word comes out as it does in real life: in the event of a new or a denied flow. */
  #judge(program: 'tt_from_work' | 'tt_to_work', { key, displayName }: Local, packet: Uint8Array): SideVerdict {
    this.#dataplane.forgetFlows();
    const { returnValue } = this.#dataplane.run(program, key, packet);
    const event = this.#dataplane.drainEvents().findLast(({ kind }) => kind !== EventKind.LOG);
    if (event === undefined) {
      return {
        endpoint: displayName,
        verdict: returnValue === TC_ACT_SHOT ? 'deny' : 'allow',
        trace: [],
        isLogged: false,
      };
    }
    const word = program === 'tt_from_work' ? event.egress_word : event.ingress_word;
    return decodeWord(word, displayName, this.#dataplane.compiler.stories);
  }
}

function localsOf({ endpoints }: DesiredState): Map<string, Local> {
  const locals = new Map<string, Local>();
  for (const [key, { endpoint }] of endpoints) {
    const local = { key, displayName: endpoint.displayName };
    for (const address of endpoint.addresses) locals.set(formatAddress(address), local);
  }
  return locals;
}
