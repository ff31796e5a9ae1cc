// Denied packets of one flow, put together until the next reading: a client that tries again and again is one record.
import type { FlowEvent } from '../../events/event.ts';
import type { DeniedFlow } from './flow-describer.ts';

/** Denied flows at a time; packets of more are counted as left out. */
const MAX_FLOWS = 65_536;

export class DeniedFlows {
  readonly #maxFlows: number;
  #flows = new Map<string, DeniedFlow>();
  readonly leftOut = { records: 0, packets: 0, bytes: 0 };

  constructor(maxFlows = MAX_FLOWS) {
    this.#maxFlows = maxFlows;
  }

  /** Packets that policy denied; of other events nothing. */
  add(event: FlowEvent, time: number): void {
    if (event.kind !== 'denied' && event.kind !== 'flow-revoked') return;
    const key = keyOf(event);
    const known = this.#flows.get(key);
    if (known !== undefined) {
      known.packets += 1;
      known.bytes += event.length;
      known.lastTime = time;
      known.tcpFlags |= event.tcpFlags;
    } else if (this.#flows.size < this.#maxFlows) {
      const { length, tcpFlags } = event;
      this.#flows.set(key, { event, firstTime: time, lastTime: time, packets: 1, bytes: length, tcpFlags });
    } else {
      this.leftOut.records += 1;
      this.leftOut.packets += 1;
      this.leftOut.bytes += event.length;
    }
  }

  /** All that came since the last time. */
  take(): Iterable<DeniedFlow> {
    const flows = this.#flows.values();
    this.#flows = new Map();
    return flows;
  }
}

function keyOf(event: FlowEvent): string {
  const { source, destination, sourcePort, destinationPort, protocol, icmpType, icmpCode } = event;
  const what = `${protocol} ${icmpType} ${icmpCode} ${event.hook} ${event.isReply} ${event.reason}`;
  const words = `${event.egressWord} ${event.ingressWord}`;
  return `${source?.words.join()} ${sourcePort} ${destination?.words.join()} ${destinationPort} ${what} ${words}`;
}
