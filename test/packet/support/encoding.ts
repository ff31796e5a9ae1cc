// Addresses, numbers and empty records as the programs' maps have them. Part of Machine.
import type { Endpoint } from '../../../src/abi/endpoint.gen.ts';
import { addressBytes, concat, fields } from '../../support/packets/bytes.ts';

export function emptyEndpoint(): Endpoint {
  const zero = { word: [0, 0, 0, 0] };
  return {
    ifindex: 0,
    flags: 0,
    id: 0,
    mtu: 0,
    mac: new Uint8Array(6),
    host_mac: new Uint8Array(6),
    v4: zero,
    v6: zero,
  };
}

/** The 16 bytes of struct tt_address. */
export function mapped(address: string): Uint8Array {
  const bytes = addressBytes(address);
  return bytes.length === 16 ? bytes : concat(new Uint8Array(10), fields([2, 0xffff]), bytes);
}

export function wordsOf(address: string): { readonly word: readonly number[] } {
  const view = viewOf(mapped(address));
  return { word: [0, 4, 8, 12].map((at) => view.getUint32(at)) };
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
