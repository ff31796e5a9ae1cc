import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EndpointFlags } from '../../src/abi/endpoint.gen.ts';
import { internetChecksum } from '../support/packets/bytes.ts';
import { ETHERNET_BYTES, macBytes } from '../support/packets/ethernet.ts';
import { tcp, udp } from '../support/packets/transport.ts';
import { Machine } from './support/machine.ts';
import { API, DB, OUTSIDE, openPolicy, packet, WEB } from './support/topology.ts';

const TTL_AT = ETHERNET_BYTES + 8;
const HOP_LIMIT_AT = ETHERNET_BYTES + 7;
const MTU = 1500;

let machine: Machine;
beforeAll(() => {
  machine = new Machine([WEB, DB, API]);
});
beforeEach(() => {
  machine.forgetFlows();
  machine.publish(openPolicy());
  machine.at(WEB.id);
});
afterAll(() => machine.close());

const ports = { sourcePort: 5000, destinationPort: 53 };

describe.each([4, 6] as const)('a packet to a local workload over IPv%s', (family) => {
  const web = (family === 4 ? WEB.v4 : WEB.v6) as string;
  const db = (family === 4 ? DB.v4 : DB.v6) as string;
  const api = (family === 4 ? API.v4 : API.v6) as string;
  const hop = family === 4 ? TTL_AT : HOP_LIMIT_AT;
  const header = family === 4 ? 20 : 40;
  const send = (hops: number) => machine.from(packet(web, db, udp(ports), { ttl: hops, hopLimit: hops }));

  it('is redirected with new MACs and one hop less, new flow, known flow and cached alike', () => {
    for (const reason of ['ALLOWED_NEW', 'ALLOWED_FLOW', 'ALLOWED_CACHED']) {
      const outcome = send(64);
      expect(outcome).toMatchObject({ action: 'redirect', reason });
      expect(outcome.data.subarray(0, 12)).toEqual(Uint8Array.of(...macBytes(DB.mac), ...macBytes(DB.hostMac)));
      expect(outcome.data[hop]).toBe(63);
      expect(outcome.data.subarray(ETHERNET_BYTES + header)).toEqual(
        packet(web, db, udp(ports)).subarray(ETHERNET_BYTES + header),
      );
      if (family === 4) expect(internetChecksum(outcome.data.subarray(ETHERNET_BYTES, ETHERNET_BYTES + 20))).toBe(0);
    }
  });

  it('keeps the header checksum right for every TTL', () => {
    if (family === 6) return;
    for (let ttl = 2; ttl <= 255; ttl += 1) {
      const { data } = send(ttl);
      expect(internetChecksum(data.subarray(ETHERNET_BYTES, ETHERNET_BYTES + 20))).toBe(0);
    }
  });

  it('is left to the stack, untouched, on its last hop', () => {
    for (let round = 0; round < 3; round += 1) {
      const { action, data } = send(1);
      expect(action).toBe('ok');
      expect(data).toEqual(packet(web, db, udp(ports), { ttl: 1, hopLimit: 1 }));
    }
  });

  it.each([
    { what: 'as long as the MTU', bytes: MTU, gsoSize: 0, action: 'redirect' },
    { what: 'one byte longer', bytes: MTU + 1, gsoSize: 0, action: 'ok' },
    { what: 'long, but whose segments fit', bytes: 3000, gsoSize: MTU - header - 20, action: 'redirect' },
    { what: 'whose segments are one byte too long', bytes: 3000, gsoSize: MTU - header - 19, action: 'ok' },
  ])('$what gives $action', ({ bytes, gsoSize, action }) => {
    const payload = new Uint8Array(bytes - header - 20);
    const data = packet(web, db, tcp({ ...ports, flags: ['ack'], payload }));
    expect(machine.from(data, { gsoSize }).action).toBe(action);
  });

  it('is left to the stack when it answers a flow that was opened behind address translation', () => {
    // The service's address was translated behind the client's hook: the server's hook saw the flow first.
    machine.at(DB.id);
    const opening = packet(web, db, udp(ports));
    expect(machine.to(opening).reason).toBe('ALLOWED_NEW');
    const answer = packet(db, web, udp({ sourcePort: ports.destinationPort, destinationPort: ports.sourcePort }));
    for (let round = 0; round < 3; round += 1) expect(machine.from(answer).action).toBe('ok');
  });

  it('is left to the stack, and so to the hook of its receiver, when that came after the flow', () => {
    machine.setAddress(db, undefined);
    expect(send(64)).toMatchObject({ action: 'ok', reason: 'ALLOWED_NEW' });
    machine.setAddress(db, DB.id);
    for (let round = 0; round < 3; round += 1) expect(send(64).action).toBe('ok');
  });

  it('is left to the stack where bpf_redirect_peer may not deliver', () => {
    for (let round = 0; round < 3; round += 1) {
      expect(machine.from(packet(web, api, udp(ports)))).toMatchObject({ action: 'ok' });
    }
  });

  it('is left to the stack when it is addressed to another machine on the link', () => {
    const data = packet(web, db, udp(ports), {}, { destinationMac: '02:00:00:00:00:77' });
    expect(machine.from(data)).toMatchObject({ action: 'ok', reason: 'ALLOWED_NEW' });
  });

  it('is left to the stack when its endpoint moved since the flow was cached', () => {
    for (let round = 0; round < 3; round += 1) send(64);
    expect(send(64)).toMatchObject({ action: 'redirect', reason: 'ALLOWED_CACHED' });
    machine.change(DB.id, { flags: EndpointFlags.READY });
    expect(send(64)).toMatchObject({ action: 'ok', reason: 'ALLOWED_FLOW' });
    machine.change(DB.id, {});
  });

  it('of its own is left to the stack', () => {
    machine.change(WEB.id, { flags: EndpointFlags.READY | EndpointFlags.PEER_DELIVERY });
    machine.aliasHere();
    expect(machine.from(packet(web, web, udp(ports)))).toMatchObject({ action: 'ok', reason: 'ALLOWED_NEW' });
    machine.setAddress(web, WEB.id);
    machine.change(WEB.id, {});
  });

  it('that ends elsewhere is left to the stack', () => {
    expect(machine.from(packet(web, family === 4 ? OUTSIDE.v4 : OUTSIDE.v6, udp(ports))).action).toBe('ok');
  });
});
