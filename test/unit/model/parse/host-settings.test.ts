import { describe, expect, it } from 'vitest';
import { buildWorld } from '../../../../src/model/build-world.ts';
import { DEFAULT_NODE_SETTINGS, type HostSettings, settingsOfNode } from '../../../../src/model/host-settings.ts';
import { parseDocuments } from '../../../../src/resources/document.ts';
import { parseOne } from './parsed.ts';

const felix = (name: string, spec: string): string =>
  `apiVersion: projectcalico.org/v3\nkind: FelixConfiguration\nmetadata: {name: ${name}}\nspec: {${spec}}`;

function settingsOf(...manifests: readonly string[]): ReadonlyMap<string, HostSettings> {
  const { resources, errors } = parseDocuments(manifests.join('\n---\n'), 'f.yaml');
  expect(errors).toEqual([]);
  return buildWorld(resources).world.hostSettings;
}

const net = { family: 4, words: [0xc6336400], length: 24 };

describe('host settings', () => {
  it('are ports that Calico has by default where nothing is written, and no workload is cut off', () => {
    const { failsafes, endpointToHost } = settingsOfNode(new Map(), 'n1');
    const shown = (['ingress', 'egress'] as const).map((direction) =>
      failsafes[direction].map(({ protocol, port }) => `${protocol === 6 ? 'tcp' : 'udp'}:${port}`).join(),
    );
    expect(shown).toEqual([
      'tcp:22,udp:68,tcp:179,tcp:2379,tcp:2380,tcp:5473,tcp:6443,tcp:6666,tcp:6667',
      'udp:53,udp:67,tcp:179,tcp:2379,tcp:2380,tcp:5473,tcp:6443,tcp:6666,tcp:6667',
    ]);
    expect(endpointToHost).toBe('return');
  });

  it.each([
    [
      'a list',
      'failsafeInboundHostPorts: [{protocol: tcp, port: 22, net: 198.51.100.0/24}, {protocol: UDP, port: 68}]',
    ],
    ['a text', 'failsafeInboundHostPorts: "tcp:198.51.100.0/24:22, udp:68"'],
    ['a text without a protocol', 'failsafeInboundHostPorts: "198.51.100.0/24:22,udp:68"'],
    [
      'items without a protocol, and with an empty net',
      'failsafeInboundHostPorts: [{port: 22, net: 198.51.100.0/24}, {protocol: udp, net: "", port: 68}]',
    ],
  ])('are read from %s', (_what, spec) => {
    const { failsafes } = settingsOfNode(settingsOf(felix('default', spec)), 'n1');
    expect(failsafes.ingress).toEqual([
      { protocol: 6, port: 22, net },
      { protocol: 17, port: 68 },
    ]);
    expect(failsafes.egress).toEqual(DEFAULT_NODE_SETTINGS.failsafes.egress);
  });

  it('take IPv6 networks in brackets', () => {
    const settings = settingsOf(
      felix('default', 'failsafeOutboundHostPorts: "udp:[2001:db8::/32]:53,tcp:[2001:db8::1]:80"'),
    );
    expect(settingsOfNode(settings, 'n1').failsafes.egress.map((each) => each.net?.length)).toEqual([32, 128]);
  });

  it.each(['[]', 'none', '" NONE "'])('have no ports with %s', (text) => {
    const settings = settingsOf(felix('default', `failsafeInboundHostPorts: ${text}`));
    expect(settingsOfNode(settings, 'n1').failsafes.ingress).toEqual([]);
  });

  it("are a node's own before those of all nodes, field by field", () => {
    const settings = settingsOf(
      felix('default', 'failsafeInboundHostPorts: [{port: 1}], defaultEndpointToHostAction: Accept'),
      felix('node.n1', 'failsafeInboundHostPorts: [{port: 2}]'),
      felix('node.n2', 'defaultEndpointToHostAction: RETURN'),
    );
    const shown = ['n1', 'n2', 'n3'].map((node) => {
      const { failsafes, endpointToHost } = settingsOfNode(settings, node);
      return [failsafes.ingress.map(({ port }) => port).join(), endpointToHost];
    });
    expect(shown).toEqual([
      ['2', 'accept'],
      ['1', 'return'],
      ['1', 'accept'],
    ]);
  });

  it('are nothing of objects that are for neither all nodes nor one', () => {
    expect(parseOne(felix('somebody', 'defaultEndpointToHostAction: Accept')).objects).toEqual([]);
  });

  it.each([
    [
      'another protocol',
      'failsafeInboundHostPorts: [{protocol: sctp, port: 1}]',
      'failsafeInboundHostPorts[0].protocol',
    ],
    [
      'a port out of range',
      'failsafeInboundHostPorts: [{protocol: tcp, port: 65536}]',
      'failsafeInboundHostPorts[0].port',
    ],
    ['a net that is none', 'failsafeOutboundHostPorts: [{port: 1, net: 10.0.0}]', 'failsafeOutboundHostPorts[0].net'],
    ['a misspelled field', 'failsafeOutboundHostPorts: [{port: 1, cidr: 10.0.0.0/8}]', 'failsafeOutboundHostPorts[0]'],
    ['a text of another form', 'failsafeInboundHostPorts: "tcp:22;udp:68"', 'failsafeInboundHostPorts'],
    ['an IPv6 net without brackets', 'failsafeInboundHostPorts: "tcp:2001:db8::/32:22"', 'failsafeInboundHostPorts'],
    ['an empty text', 'failsafeInboundHostPorts: ""', 'failsafeInboundHostPorts'],
    ['another action', 'defaultEndpointToHostAction: Reject', 'defaultEndpointToHostAction'],
  ])('refuse %s', (_what, spec, field) => {
    const { resources, errors } = parseDocuments(felix('default', spec), 'f.yaml');
    expect(resources).toEqual([]);
    expect(errors.map((error) => error.message).join()).toContain(`spec.${field}`);
  });
});
