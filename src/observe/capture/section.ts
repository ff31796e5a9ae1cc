// One section of a pcapng file: packets with names of interfaces, which are described when they are first met. Pure.
import {
  enhancedPacket,
  interfaceDescription,
  interfaceStatistics,
  type PacketInfo,
  type PcapLink,
  type SectionInfo,
  sectionHeader,
} from './pcapng.ts';

export interface NamedPacket extends Omit<PacketInfo, 'interfaceId'> {
  readonly interface: string;
  readonly link: PcapLink;
}

export interface SectionStatistics {
  readonly timeNs: bigint;
  readonly startNs: bigint;
  /** Packets that were seen. */
  readonly received: bigint;
  /** Those of them that are missing. */
  readonly dropped: bigint;
}

/** What the numbers of a section are of: no program counts by interface. */
const OF_ALL = 'of all interfaces of this capture';

export class PcapSection {
  readonly #snapBytes: number;
  readonly #ids = new Map<string, number>();
  /** What the section begins with. */
  readonly header: Uint8Array;

  constructor(info: SectionInfo, snapBytes: number) {
    this.#snapBytes = snapBytes;
    this.header = sectionHeader(info);
  }

  /** What goes into the file for a packet. */
  packet(packet: NamedPacket): Uint8Array[] {
    const { interface: name, link, ...info } = packet;
    const described: Uint8Array[] = [];
    const interfaceId = this.#idOf(name, link, described);
    return [...described, enhancedPacket({ ...info, interfaceId })];
  }

  /** What ends the section. */
  statistics(statistics: SectionStatistics): Uint8Array[] {
    const described: Uint8Array[] = [];
    if (this.#ids.size === 0) this.#idOf('any', 'ethernet', described);
    const block = interfaceStatistics({ ...statistics, endNs: statistics.timeNs, interfaceId: 0, comment: OF_ALL });
    return [...described, block];
  }

  /** An interface that is seen with and without frames is two. */
  #idOf(name: string, link: PcapLink, described: Uint8Array[]): number {
    const key = `${link} ${name}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    described.push(interfaceDescription({ name, link, snapBytes: this.#snapBytes }));
    this.#ids.set(key, this.#ids.size);
    return this.#ids.size - 1;
  }
}
