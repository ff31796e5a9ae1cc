// The `tables` engine: judges flows by lookup in a compiled image.
import type { DesiredState } from '../calc/resolved.ts';
import { formatAddress } from '../model/address.ts';
import type { Flow } from '../model/flow.ts';
import { isLinkScopeDiscovery } from '../model/link-scope.ts';
import type { Direction } from '../model/policy.ts';
import { combineSides, type FlowVerdict, type SideVerdict, unjudgedSide } from '../model/verdict.ts';
import type { TableCompiler } from './compiler.ts';
import type { TableImage } from './image.ts';
import { lookupWord } from './lookup.ts';
import { decodeWord } from './words.ts';

export class TableEvaluator {
  readonly #compiler: TableCompiler;
  readonly #image: TableImage;
  readonly #byAddress = new Map<string, LocalAddress>();

  constructor(desired: DesiredState, compiler: TableCompiler, image: TableImage) {
    this.#compiler = compiler;
    this.#image = image;
    for (const [key, { endpoint }] of desired.endpoints) {
      const local = { id: image.endpointIds.get(key) as number, displayName: endpoint.displayName };
      for (const address of endpoint.addresses) this.#byAddress.set(formatAddress(address), local);
    }
  }

  evaluate(flow: Flow): FlowVerdict {
    const sender = this.#byAddress.get(formatAddress(flow.source));
    const receiver = this.#byAddress.get(formatAddress(flow.destination));
    return combineSides(
      sender === undefined ? null : this.#side(sender, 'egress', flow),
      receiver === undefined ? null : this.#side(receiver, 'ingress', flow),
    );
  }

  #side({ id, displayName }: LocalAddress, direction: Direction, flow: Flow): SideVerdict {
    if (isLinkScopeDiscovery(flow)) return unjudgedSide(displayName);
    const { heap, v6Nodes, stories } = this.#compiler;
    const word = lookupWord({ heap: heap.words, v6Nodes: v6Nodes.words }, this.#image.root, id, direction, flow);
    return decodeWord(word, displayName, stories);
  }
}

interface LocalAddress {
  readonly id: number;
  readonly displayName: string;
}
