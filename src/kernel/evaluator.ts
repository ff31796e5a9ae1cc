// The `kernel` engine: each flow's first packet goes through the loaded programs, as sent by its source's endpoint and
// as received by its destination's.
import { EventKind } from '../abi/event.gen.ts';
import type { DesiredState } from '../calc/resolved.ts';
import { formatAddress } from '../model/address.ts';
import type { Flow } from '../model/flow.ts';
import { combineSides, type FlowVerdict, type SideVerdict } from '../model/verdict.ts';
import type { TableSizes } from '../tables/compiler.ts';
import { decodeWord } from '../tables/words.ts';
import { DetachedDataplane } from './detached-dataplane.ts';
import { probePacket } from './probe-packet.ts';

/** linux/pkt_cls.h */
const TC_ACT_SHOT = 2;

interface Local {
  readonly key: string;
  readonly displayName: string;
}

export class KernelEvaluator {
  readonly #dataplane: DetachedDataplane;
  readonly #byAddress = new Map<string, Local>();

  /** Loads the programs and writes the desired state. Throws PERMISSION, PROGRAM_REJECTED, TABLE_FULL. */
  constructor(desired: DesiredState, sizes?: TableSizes) {
    this.#dataplane = new DetachedDataplane(desired, {
      object: 'workload',
      sizes,
      flows: 512,
      flowCache: 1,
      eventBytes: 65536,
    });
    for (const [key, { endpoint }] of desired.endpoints) {
      const local = { key, displayName: endpoint.displayName };
      for (const address of endpoint.addresses) this.#byAddress.set(formatAddress(address), local);
    }
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
