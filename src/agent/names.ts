// Names for observe/, answered from what the agent enforces now.
import type { DesiredState } from '../calc/resolved.ts';
import { formatAddress, type IpAddress } from '../model/address.ts';
import type { NameLookup, WordVerdict } from '../model/name-lookup.ts';
import type { TableCompiler } from '../tables/compiler.ts';
import { decodeWord } from '../tables/words.ts';

export class AgentNames implements NameLookup {
  readonly #desired: () => DesiredState;
  readonly #compiler: TableCompiler;
  readonly #interfaceName: (ifindex: number) => string | undefined;

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
    const text = formatAddress(address);
    for (const { endpoint } of this.#desired().endpoints.values()) {
      if (endpoint.addresses.some((own) => formatAddress(own) === text)) return endpoint.displayName;
    }
    return undefined;
  }

  verdict(word: number): WordVerdict {
    return decodeWord(word, '', this.#compiler.stories);
  }

  interfaceName(ifindex: number): string | undefined {
    return this.#interfaceName(ifindex);
  }
}
