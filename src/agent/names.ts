// Names for observe/, answered from what the agent enforces now.
import type { DesiredState } from '../calc/resolved.ts';
import type { IpAddress } from '../model/address.ts';
import type { NameLookup, WordVerdict } from '../model/name-lookup.ts';
import type { TableCompiler } from '../tables/compiler.ts';
import { decodeWord } from '../tables/words.ts';

export class AgentNames implements NameLookup {
  readonly #desired: () => DesiredState;
  readonly #compiler: TableCompiler;
  readonly #interfaceName: (ifindex: number) => string | undefined;
  /** Made when first asked after a change: an event asks twice, and there may be very many events. */
  #byAddress: ReadonlyMap<number | string, string> = new Map();
  #indexed: DesiredState | undefined;

  constructor(
    desired: () => DesiredState,
    compiler: TableCompiler,
    interfaceName: (ifindex: number) => string | undefined,
  ) {
    this.#desired = desired;
    this.#compiler = compiler;
    this.#interfaceName = interfaceName;
  }

  endpointAt(address: IpAddress): string | undefined {
    const desired = this.#desired();
    if (this.#indexed !== desired) {
      this.#byAddress = endpointsByAddress(desired);
      this.#indexed = desired;
    }
    return this.#byAddress.get(addressKey(address));
  }

  verdict(word: number): WordVerdict {
    return decodeWord(word, '', this.#compiler.stories);
  }

  interfaceName(ifindex: number): string | undefined {
    return this.#interfaceName(ifindex);
  }
}

/** Of endpoints that share an address the first counts. */
function endpointsByAddress({ endpoints }: DesiredState): Map<number | string, string> {
  const names = new Map<number | string, string>();
  for (const { endpoint } of endpoints.values()) {
    for (const address of endpoint.addresses) {
      const key = addressKey(address);
      if (!names.has(key)) names.set(key, endpoint.displayName);
    }
  }
  return names;
}

function addressKey({ words }: IpAddress): number | string {
  return words.length === 1 ? (words[0] as number) : words.join();
}
