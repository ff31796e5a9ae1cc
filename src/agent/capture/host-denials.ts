// Whose policy has denied a packet at the host's hooks: of two interfaces that it is between, the one whose list had the last word.
// Pure.
import { WordBits } from '../../abi/heap.gen.ts';
import type { DesiredState } from '../../calc/resolved.ts';
import type { FlowEvent } from '../../events/event.ts';
import type { NumberedInterface } from '../../kernel/host-table.ts';
import { endpointOfInterface, type ResolvedInterfaces, resolveInterfaces } from '../../model/host-interfaces.ts';

const HOST_HOOKS: ReadonlySet<FlowEvent['hook']> = new Set(['to_host', 'forward', 'from_host']);

/** What it goes by: events have nothing else of the two interfaces. */
export type DeniedEvent = Pick<FlowEvent, 'hook' | 'ifindex' | 'outIfindex' | 'isReply' | 'egressWord' | 'ingressWord'>;

export class HostDenials {
  readonly #interfaces: ReadonlyMap<number, NumberedInterface>;
  readonly #resolved: ResolvedInterfaces;

  constructor({ hostEndpoints }: Pick<DesiredState, 'hostEndpoints'>, interfaces: readonly NumberedInterface[]) {
    this.#interfaces = new Map(interfaces.map((each) => [each.ifindex, each]));
    const endpoints = [...hostEndpoints.values()].map(({ endpoint }) => endpoint);
    this.#resolved = resolveInterfaces(endpoints, interfaces);
  }

  /** Name of the host endpoint; undefined = no policy of one has denied it. */
  denierOf(event: DeniedEvent): string | undefined {
    const isEgress = isDenial(event.egressWord);
    if (!HOST_HOOKS.has(event.hook) || !(isEgress || isDenial(event.ingressWord))) return undefined;
    // Words are of the flow's own direction, interfaces of the packet's.
    const isOut = isEgress !== event.isReply;
    return this.#endpointAt(isOut ? event.outIfindex : event.ifindex);
  }

  /** At workloads' interfaces lists are those of `*`, and so they are at host interfaces that are not known yet. */
  #endpointAt(ifindex: number): string | undefined {
    const known = this.#interfaces.get(ifindex);
    const endpoint = known?.kind === 'host' ? endpointOfInterface(this.#resolved, known.name) : this.#resolved.any;
    return endpoint?.name;
  }
}

function isDenial(word: number): boolean {
  return (word & WordBits.DENY) !== 0;
}
