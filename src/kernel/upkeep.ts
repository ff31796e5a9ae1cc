// Finds what others did to the pinned maps of a node, and undoes it: removed pins, edited tables, another image in force.
// Programs on interfaces are attachment.ts.
import type { TableCompiler } from '../tables/compiler.ts';
import type { TableImage } from '../tables/image.ts';
import type { Bridge } from './bridge.ts';
import type { EndpointWriter } from './endpoint-writer.ts';
import type { HostHooks } from './host-hooks.ts';
import { ImageAudit } from './image-audit.ts';
import type { ImageWriter } from './image-writer.ts';
import { MapPins } from './map-pins.ts';
import type { BpfMap, BpfObject } from './native.ts';
import { PINNED } from './object.ts';
import type { Pins } from './pins.ts';
import type { Repair } from './repair.ts';

export class Upkeep {
  readonly #pins: Pins;
  readonly #mapPins: MapPins;
  readonly #bridge: Bridge;
  readonly #images: ImageWriter;
  readonly #endpoints: EndpointWriter;
  readonly #hosts: HostHooks;
  readonly #imageAudit: ImageAudit;

  constructor(
    object: BpfObject,
    maps: Readonly<Record<'heap' | 'v6Nodes', BpfMap>>,
    writers: { readonly images: ImageWriter; readonly endpoints: EndpointWriter; readonly hosts: HostHooks },
    bridge: Bridge,
    pins: Pins,
  ) {
    this.#pins = pins;
    this.#mapPins = new MapPins(new Map(PINNED.map((name) => [name, object.map(name)])), pins);
    this.#bridge = bridge;
    this.#images = writers.images;
    this.#endpoints = writers.endpoints;
    this.#hosts = writers.hosts;
    this.#imageAudit = new ImageAudit(maps);
  }

  /**
   * Pins first: without them the next agent would begin with empty tables. The programs at the host's hooks as well. Throws
   * PERMISSION or KERNEL.
   */
  restorePins(): Repair[] {
    const bridge = new MapPins(this.#bridge.maps, this.#pins);
    return [...this.#mapPins.ensure(), ...bridge.ensure(), ...this.#hosts.restorePins()];
  }

  /**
   * A part of the image, and all that is small. Flows judged by what was edited are judged again. Not while a change is
   * being written.
   */
  restoreTables(image: TableImage, compiler: TableCompiler): Repair[] {
    const repairs: Repair[] = this.#imageAudit.restore(image, compiler);
    for (const [target, rows] of Object.entries({
      ...this.#endpoints.restore(),
      tt_host_ifaces: this.#hosts.restoreTable(),
    })) {
      if (rows > 0) repairs.push({ cause: 'table-edited', target, found: `${rows} other rows` });
    }
    if (this.#images.restoreSettings()) repairs.push(stateRepair('other settings'));
    // Before another image is replaced: the restored one must be whole then.
    const isOther = this.#images.putInForce(image.root);
    if (isOther) repairs.push(stateRepair('another image in force'));
    else if (repairs.length > 0) this.#images.judgeFlowsAgain(image.root);
    return repairs;
  }
}

function stateRepair(found: string): Repair {
  return { cause: 'table-edited', target: 'tt_state', found };
}
