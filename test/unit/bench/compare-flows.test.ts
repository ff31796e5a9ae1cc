import { describe, expect, it } from 'vitest';
import { desiredStateOf, loadManifests } from '../../../src/agent/offline.ts';
import { boundaryFlows, isForwardable, isReadAlike, OUTSIDE } from '../../../src/bench/compare-flows.ts';
import { guestsOf } from '../../../src/bench/compare-guests.ts';
import { formatAddress, type IpAddress, parseAddress } from '../../../src/model/address.ts';
import { type Flow, PROTOCOL } from '../../../src/model/flow.ts';

const { world } = loadManifests('examples/three-tier/manifests');
const desired = desiredStateOf(world, '*');
const { specs } = guestsOf(desired, 10);
const flows = boundaryFlows(desired, specs, 2000);

function ends({ source, destination, sourcePort, destinationPort, protocol }: Flow): string {
  return [
    protocol,
    ...[`${formatAddress(source)} ${sourcePort}`, `${formatAddress(destination)} ${destinationPort}`].sort(),
  ].join();
}

describe('flows at the boundaries of a policy', () => {
  it('have an endpoint at one end at least, and start at its guest', () => {
    const owner = new Map(
      [...world.workloadEndpoints.values()].flatMap(({ key, addresses }) =>
        addresses.map((one) => [formatAddress(one), key]),
      ),
    );
    expect(flows.length).toBeGreaterThan(200);
    for (const { from, flow } of flows) {
      const [sender, receiver] = [owner.get(formatAddress(flow.source)), owner.get(formatAddress(flow.destination))];
      expect(from).toBe(sender ?? OUTSIDE);
      expect(sender ?? receiver).toBeDefined();
      expect(sender).not.toBe(receiver);
    }
  });

  it('leave out what the deciders read differently: an authentication header in IPv6', () => {
    expect([4, 6].map((family) => isReadAlike({ protocol: 51 }, family as 4 | 6))).toEqual([true, false]);
    const found = flows.filter(({ flow }) => flow.protocol === 51).map(({ flow }) => flow.source.family);
    expect(new Set(found)).not.toContain(6);
  });

  it('are never two of one connection', () => {
    expect(new Set(flows.map(({ flow }) => ends(flow))).size).toBe(flows.length);
  });

  it('have ports on both sides of a border', () => {
    const ports = new Set(
      flows.filter(({ flow }) => flow.protocol === PROTOCOL.TCP).map(({ flow }) => flow.destinationPort),
    );
    expect([8079, 8080, 8081].filter((port) => !ports.has(port))).toEqual([]);
  });

  it('have addresses on both sides of the edge of a network', () => {
    const peers = new Set(flows.flatMap(({ flow }) => [formatAddress(flow.source), formatAddress(flow.destination)]));
    expect(['192.0.1.255', '192.0.2.0', '192.0.2.15', '192.0.2.16'].filter((address) => !peers.has(address))).toEqual(
      [],
    );
  });

  it('are the same for the same policy', () => {
    expect(boundaryFlows(desired, specs, 2000)).toEqual(flows);
  });

  it('are none without an endpoint that takes part', () => {
    expect(boundaryFlows(desired, [], 10)).toEqual([]);
  });

  it.each([
    ['10.0.0.1', true],
    ['127.0.0.1', false],
    ['169.254.1.1', false],
    ['224.0.0.1', false],
    ['0.0.0.0', false],
    ['fd00::1', true],
    ['fe80::1', false],
    ['ff02::1', false],
    ['::1', false],
  ])('know whether %s can be routed', (text, expected) => {
    expect(isForwardable(parseAddress(text) as IpAddress)).toBe(expected);
  });
});
