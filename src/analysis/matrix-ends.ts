// Rows and columns of a matrix before they are grouped: workloads, network sets and the world outside, each with what
// the compiled tables know of it. Ends of equal identity have equal verdicts whatever is asked.
import type { DesiredState } from '../calc/resolved.ts';
import { type Family, formatAddress, type IpAddress } from '../model/address.ts';
import type { WorkloadEndpoint } from '../model/endpoint.ts';
import type { World } from '../model/world.ts';
import type { TableCompiler } from '../tables/compiler.ts';
import type { TableImage } from '../tables/image.ts';
import { addressClass } from '../tables/lookup.ts';
import { EndpointNames, workloadName } from './endpoint-names.ts';
import { knownPrefixes, outsideAddress, regionsWithin } from './outsiders.ts';

export interface MatrixEnd {
  readonly kind: 'workload' | 'networkSet' | 'world';
  /** `<namespace>/<pod>`, the set's name, or `world`. */
  readonly name: string;
  /** Of the controller that made the pod; else the name. */
  readonly workload: string;
  readonly identity: string;
  readonly addresses: readonly IpAddress[];
}

/** An address of each family that no manifest speaks of, or that as few as possible do. */
export interface WorldAddresses {
  readonly ipv4: string;
  readonly ipv6: string;
}

export class MatrixEnds {
  readonly #world: World;
  readonly #compiler: TableCompiler;
  readonly #image: TableImage;
  readonly #known: ReturnType<typeof knownPrefixes>;
  readonly #names: EndpointNames;

  constructor(world: World, compiler: TableCompiler, image: TableImage) {
    this.#world = world;
    this.#compiler = compiler;
    this.#image = image;
    this.#known = knownPrefixes(world);
    this.#names = new EndpointNames(world);
  }

  /** Endpoints of the namespaces, or of all when there are none, that the desired state judges; by name. */
  workloads(desired: DesiredState, namespaces: ReadonlySet<string>): readonly MatrixEnd[] {
    return [...desired.endpoints]
      .filter(([, { endpoint }]) => namespaces.size === 0 || namespaces.has(endpoint.namespace))
      .filter(([, { endpoint }]) => endpoint.addresses.length > 0)
      .map(([key, { endpoint }]) => this.#workload(key, endpoint))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Sets of the namespaces and global ones; by name. A set counts as all its parts that policy tells apart, workloads not. */
  networkSets(namespaces: ReadonlySet<string>): readonly MatrixEnd[] {
    return [...this.#world.networkSets.values()]
      .filter(({ namespace }) => namespace === undefined || namespaces.size === 0 || namespaces.has(namespace))
      .map(({ namespace, name, nets }) => {
        const label = namespace === undefined ? name : `${namespace}/${name}`;
        return this.#outsider(
          'networkSet',
          label,
          regionsWithin(nets, this.#known, (it) => this.#names.at(it) !== undefined),
        );
      })
      .filter(({ addresses }) => addresses.length > 0)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  outside(): { readonly end: MatrixEnd; readonly addresses: WorldAddresses } {
    const [ipv4, ipv6] = ([4, 6] as const).map((family: Family) => outsideAddress(family, this.#known));
    const addresses = [ipv4, ipv6].filter((address) => address !== undefined);
    const [first = '', second = ''] = addresses.map(formatAddress);
    return { end: this.#outsider('world', 'world', addresses), addresses: { ipv4: first, ipv6: second } };
  }

  /** `key` as in the desired state and the image. */
  #workload(key: string, endpoint: WorkloadEndpoint): MatrixEnd {
    const { displayName, addresses } = endpoint;
    const bases = this.#image.root.policies + 2 * (this.#image.endpointIds.get(key) as number);
    const { words } = this.#compiler.heap;
    const identity = [words[bases], words[bases + 1], this.#classes(addresses)].join(' ');
    return { kind: 'workload', name: displayName, workload: workloadName(endpoint), identity, addresses };
  }

  #outsider(kind: MatrixEnd['kind'], name: string, addresses: readonly IpAddress[]): MatrixEnd {
    return { kind, name, workload: name, identity: `outside ${this.#classes(addresses)}`, addresses };
  }

  #classes(addresses: readonly IpAddress[]): string {
    const arrays = { heap: this.#compiler.heap.words, v6Nodes: this.#compiler.v6Nodes.words };
    const classes = addresses.map((address) => {
      // Neighbour discovery is let pass by address, which classes do not know.
      const isLinkScope = address.family === 6 && (address.words[0] as number) >>> 24 >= 0xfe;
      return isLinkScope
        ? formatAddress(address)
        : `${address.family}:${addressClass(arrays, this.#image.root, address)}`;
    });
    return [...new Set(classes)].sort().join(',');
  }
}
