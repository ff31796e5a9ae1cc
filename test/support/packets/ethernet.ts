// Ethernet frames around IP packets or anything else.
import { concat, fields } from './bytes.ts';
import type { IpPacket } from './ip.ts';

export const ETHERTYPE = { IPV4: 0x0800, ARP: 0x0806, VLAN: 0x8100, IPV6: 0x86dd, LLDP: 0x88cc } as const;
export const ETHERNET_BYTES = 14;

export interface FrameOptions {
  readonly sourceMac?: string;
  /** All zero by default: that of the loopback interface, on which test runs happen. */
  readonly destinationMac?: string;
  /** An 802.1Q tag in the frame. */
  readonly vlan?: number;
  /** Bytes after the IP packet, as short frames have. */
  readonly trailer?: number;
}

export function frame(packet: IpPacket, options: FrameOptions = {}): Uint8Array {
  return rawFrame(packet.family === 4 ? ETHERTYPE.IPV4 : ETHERTYPE.IPV6, packet.bytes, options);
}

export function rawFrame(ethertype: number, payload: Uint8Array, options: FrameOptions = {}): Uint8Array {
  const { sourceMac = '02:00:00:00:00:01', destinationMac = '00:00:00:00:00:00', vlan, trailer = 0 } = options;
  const tag = vlan === undefined ? new Uint8Array(0) : fields([2, ETHERTYPE.VLAN], [2, vlan]);
  return concat(
    macBytes(destinationMac),
    macBytes(sourceMac),
    tag,
    fields([2, ethertype]),
    payload,
    new Uint8Array(trailer),
  );
}

export function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16));
}

/** An ARP request for an address, from an address. */
export function arp(options: FrameOptions = {}): Uint8Array {
  return rawFrame(
    ETHERTYPE.ARP,
    concat(fields([2, 1], [2, 0x0800], [1, 6], [1, 4], [2, 1]), new Uint8Array(20)),
    options,
  );
}
