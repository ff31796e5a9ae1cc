import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FlowEvent } from '../../src/abi/event.gen.ts';
import { HostDims } from '../../src/abi/host.gen.ts';
import { udp } from '../support/packets/transport.ts';
import { HostMachine } from './support/host-machine.ts';
import { ETH0, hostPolicy, listsOf } from './support/host-topology.ts';
import { OUTSIDE, packet } from './support/topology.ts';

/** Where struct tt_packet_place says that it is taken: twelve bytes follow, and room for two flows that go. */
const TAKEN_FROM_END = 16 + 2 * FlowEvent.SIZE;

let host: HostMachine;
beforeAll(() => {
  host = new HostMachine([], { isThorough: true });
  host.setInterfaces({ [ETH0]: listsOf(ETH0, ['normal']) });
  host.machine.publish(hostPolicy([[ETH0, 'normal', 'ingress', 'allow']]));
});
beforeEach(() => {
  host.machine.forgetFlows();
  for (let number = 0; number < HostDims.PACKETS; number += 1) setTaken(number, false);
});
afterAll(() => host.close());

const places = () => host.object.map('tt_packets');
const keyOf = (number: number): Uint8Array => new Uint8Array(Uint32Array.of(number).buffer);
const arrive = () =>
  host.run('to-host', packet(OUTSIDE.v4, '192.0.2.1', udp({ sourcePort: 1000, destinationPort: 53 })), { in: ETH0 });

function setTaken(number: number, isTaken: boolean): void {
  const value = new Uint8Array(places().info.valueSize);
  value[value.length - TAKEN_FROM_END] = Number(isTaken);
  places().update(keyOf(number), value, 0);
}

function isTaken(number: number): boolean {
  const value = places().lookup(keyOf(number)) as Uint8Array;
  return value[value.length - TAKEN_FROM_END] !== 0;
}

describe('the places of packets at the hooks of the host', () => {
  it('are those of all CPUs: a sender may go on on another', () => {
    expect(places().lookup(keyOf(0))).toHaveLength(places().info.valueSize);
  });

  it('are given back', () => {
    for (let round = 0; round < 2 * HostDims.PACKETS; round += 1) expect(arrive().action).toBe('accept');
    for (let number = 0; number < HostDims.PACKETS; number += 1) expect(isTaken(number), `place ${number}`).toBe(false);
  });

  it.each([0, 1, HostDims.PACKETS - 1])('are looked for until one is free: place %s', (free) => {
    for (let number = 0; number < HostDims.PACKETS; number += 1) setTaken(number, number !== free);
    expect(arrive().reason).toBe('ALLOWED_NEW');
    for (let number = 0; number < HostDims.PACKETS; number += 1) expect(isTaken(number)).toBe(number !== free);
  });

  it('are never shared: where all are taken, the packet is dropped', () => {
    for (let number = 0; number < HostDims.PACKETS; number += 1) setTaken(number, true);
    expect(arrive()).toMatchObject({ action: 'drop', reason: 'DROP_NO_ROOM' });
    expect(host.machine.flows()).toEqual([]);
  });
});
