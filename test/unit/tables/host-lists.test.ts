import { describe, expect, it } from 'vitest';
import { desiredStateOf } from '../../../src/agent/offline.ts';
import { type IpAddress, parseAddress } from '../../../src/model/address.ts';
import { type Flow, PROTOCOL } from '../../../src/model/flow.ts';
import type { Direction, HostScope } from '../../../src/model/policy.ts';
import { TableCompiler } from '../../../src/tables/compiler.ts';
import { hostListKey } from '../../../src/tables/host-list-key.ts';
import type { TableImage } from '../../../src/tables/image.ts';
import { WORD } from '../../../src/tables/layout.ts';
import { lookupWord } from '../../../src/tables/lookup.ts';
import { decodeListWord } from '../../../src/tables/words.ts';
import { worldFrom } from '../../support/world-from.ts';

const HEP =
  'apiVersion: projectcalico.org/v3\nkind: HostEndpoint\nmetadata: {name: a}\nspec: {node: n1, interfaceName: eth0}';
const gnp = (name: string, spec: string): string =>
  `apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: ${name}}\nspec: {${spec}}`;
const UNTRACKED = gnp(
  'u',
  'applyOnForward: true, doNotTrack: true, ingress: [{action: Log, protocol: TCP}, {action: Deny, protocol: TCP, destination: {ports: [80]}}]',
);
const FORWARD = gnp('f', 'applyOnForward: true, egress: [{action: Pass}]');
const KEY = 'hostEndpoint:a';

function flowTo(port: number): Flow {
  const address = (text: string): IpAddress => parseAddress(text) as IpAddress;
  return {
    source: address('198.51.100.7'),
    destination: address('192.0.2.1'),
    protocol: PROTOCOL.TCP,
    sourcePort: 40000,
    destinationPort: port,
    icmpType: 0,
    icmpCode: 0,
  };
}

class Tables {
  readonly compiler = new TableCompiler();

  compile(...manifests: readonly string[]): TableImage {
    return this.compiler.compile(desiredStateOf(worldFrom(manifests.join('\n---\n')), '*'));
  }

  word({ root, endpointIds }: TableImage, scope: HostScope, direction: Direction, flow: Flow): number {
    const arrays = { heap: this.compiler.heap.words, v6Nodes: this.compiler.v6Nodes.words };
    return lookupWord(arrays, root, endpointIds.get(hostListKey(KEY, scope)) as number, direction, flow);
  }
}

describe('lists of host endpoints in an image', () => {
  it('have an id each, where there is a list', () => {
    const image = new Tables().compile(HEP, UNTRACKED);
    expect([...image.endpointIds.keys()].sort()).toEqual([`${KEY}/normal`, `${KEY}/untracked`]);
    expect(new Set(image.endpointIds.values()).size).toBe(2);
    expect(image.counts.endpoints).toBe(0);
  });

  it('keep their ids while other lists come and go', () => {
    const tables = new Tables();
    const before = tables.compile(HEP, UNTRACKED).endpointIds;
    const after = tables.compile(HEP, UNTRACKED, FORWARD).endpointIds;
    expect(after.get(`${KEY}/untracked`)).toBe(before.get(`${KEY}/untracked`));
    expect(after.get(`${KEY}/normal`)).toBe(before.get(`${KEY}/normal`));
    expect(after.size).toBe(3);
  });

  it.each([
    ['untracked', 'ingress', 80, WORD.DENY | WORD.LOG, ['u deny 1']],
    ['untracked', 'ingress', 81, WORD.NEXT | WORD.LOG, ['u pass -1', 'untracked pass -1']],
    ['untracked', 'ingress', 22, WORD.NEXT, ['inbound pass 0']],
    ['untracked', 'egress', 81, WORD.NEXT, ['untracked pass -1']],
    ['forward', 'egress', 81, WORD.ALLOW, ['f pass 0', 'forward allow -1']],
    ['forward', 'ingress', 22, WORD.ALLOW, ['forward allow -1']],
    ['normal', 'ingress', 22, WORD.ALLOW, ['inbound allow 0']],
    ['normal', 'ingress', 81, WORD.DENY, ['__PROFILE__ deny -1']],
  ] as const)('say of %s %s to port %d what the list ends in', (scope, direction, port, flags, trace) => {
    const tables = new Tables();
    const word = tables.word(tables.compile(HEP, UNTRACKED, FORWARD), scope, direction, flowTo(port));
    expect(word & ((1 << WORD.ID_SHIFT) - 1)).toBe(flags);
    const told = decodeListWord(word, tables.compiler.stories);
    expect(told.trace.map(({ name, action, ruleIndex }) => `${name} ${action} ${ruleIndex}`)).toEqual(trace);
    expect(told.verdict).toBe(flags & WORD.NEXT ? 'next' : flags & WORD.ALLOW ? 'allow' : 'deny');
    expect(told.isLogged).toBe((flags & WORD.LOG) !== 0);
  });
});
