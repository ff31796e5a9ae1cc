// The truth tables of policy of hosts, with real sockets under a running agent: a socket meets what the reference evaluator says of
// a connection's first packet, and what untracked policy, which judges each packet for itself, says of the answer.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Path, PathFlow, PathVerdict } from '../../src/model/path.ts';
import type { Agent } from '../../tools/lab/agent.ts';
import { HOST as HOST_PEER } from '../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import { forwarded, fromHost, manifestsOf, ROWS, toHost } from '../unit/model/reference/host-cases.ts';
import { HOST, judge, POD, POD_MANIFEST, tcp } from '../unit/model/reference/hosts.ts';
import { Setting, WORKLOADS_FILE } from './support/setting.ts';

const PORT = 8055;
const CLIENT = '192.0.2.7';
const SERVER = '198.51.100.7';
const FAR_HOST = '198.51.100.1';
const PATIENCE_MS = 300;
const NODE = 'n1';
const MARKER = `
apiVersion: projectcalico.org/v3
kind: GlobalNetworkSet
metadata: {name: marker}
spec: {nets: [203.0.113.254/32]}`;

/** Who is behind each interface, and the address that the host has there. */
const ENDS: Readonly<Record<string, { readonly peer: string; readonly address: string; readonly host: string }>> = {
  eth0: { peer: 'client', address: CLIENT, host: HOST },
  eth1: { peer: 'server', address: SERVER, host: FAR_HOST },
  cali1: { peer: 'w', address: POD, host: HOST },
  lo: { peer: HOST_PEER, address: '127.0.0.1', host: '127.0.0.1' },
};
/** A case about an interface that is not there is about one of the host that nobody named. */
const end = (name: string) => ENDS[name] ?? ENDS.eth1;

interface Question {
  readonly from: string;
  readonly to: string;
  readonly packet: PathFlow;
}

function questionOf(path: Path): Question {
  const [from, to] =
    path.kind === 'to-host'
      ? [end(path.in), undefined]
      : path.kind === 'from-host'
        ? [undefined, end(path.out)]
        : [end(path.in), end(path.out)];
  const source = from?.address ?? (to?.host as string);
  const destination = to?.address ?? (from?.host as string);
  return {
    from: from?.peer ?? HOST_PEER,
    to: destination,
    packet: tcp(path, { from: source, to: destination, port: PORT }),
  };
}

/** What the other end sends back. */
function answerTo({ flow, path }: PathFlow): PathFlow {
  const { source, destination, sourcePort, destinationPort } = flow;
  const back = { ...flow, source: destination, destination: source };
  const ports = { sourcePort: destinationPort, destinationPort: sourcePort };
  const way: Path =
    path.kind === 'to-host'
      ? { kind: 'from-host', out: path.in }
      : path.kind === 'from-host'
        ? { kind: 'to-host', in: path.out }
        : { kind: 'forward', in: path.out, out: path.in };
  return { flow: { ...back, ...ports }, path: way };
}

function isUntracked({ stages }: PathVerdict, said: 'allow' | 'deny'): boolean {
  return stages.some(({ stage, verdict }) => stage === 'untracked' && verdict === said);
}

function expectedOf(manifests: readonly string[], packet: PathFlow): string {
  const first = judge(manifests, packet);
  const isOpen = first.verdict === 'allow';
  const answer = judge(manifests, answerTo(packet));
  const isAnswered = isUntracked(first, 'allow') ? answer.verdict === 'allow' : !isUntracked(answer, 'deny');
  return isOpen && isAnswered ? 'open' : 'timeout';
}

describe('policy of a host, under real sockets', { timeout: 60_000 * PATIENCE }, () => {
  let setting: Setting;
  let agent: Agent;
  let objects = 0;

  beforeAll(async () => {
    const pod = { namespace: 'default', pod: 'w', labels: {}, addresses: [POD], hostInterface: 'cali1' };
    setting = await Setting.create({
      workloads: [pod],
      outsiders: [
        { name: 'client', hostInterface: 'eth0', subnets: [{ host: `${HOST}/24`, outsider: `${CLIENT}/24` }] },
        { name: 'server', hostInterface: 'eth1', subnets: [{ host: `${FAR_HOST}/24`, outsider: `${SERVER}/24` }] },
      ],
      listeners: [{ transport: 'tcp', port: PORT }],
    });
    setting.manifests.remove(WORKLOADS_FILE);
    agent = await setting.startAgent({ node: NODE });
  });

  afterAll(async () => {
    await setting?.close();
  });

  beforeEach(() => nft('flush ruleset'));

  const nft = (rules: string): Promise<unknown> => setting.lab.exec(HOST_PEER, ['nft', '-f', '-'], rules);

  /** Their number is never that of before, so that the agent's status tells when they are in force. */
  async function apply(manifests: readonly string[]): Promise<void> {
    const isMarked = manifests.length === objects;
    const all = isMarked ? [...manifests, MARKER] : manifests;
    objects = all.length;
    setting.manifests.writeText('50-case.yaml', all.join('\n---\n'));
    const status = await agent.waitFor(
      ({ inSync, manifests: { objects: count } }) => inSync && count === objects,
      10_000,
    );
    expect(status.manifests.errors).toEqual([]);
    expect(status.conditions).toEqual([]);
  }

  const probe = ({ from, to }: Question): Promise<string> =>
    setting
      .probe(from, { transport: 'tcp', address: to, port: PORT, timeoutMs: PATIENCE_MS })
      .catch((error: Error) => (/not permitted/.test(error.message) ? 'timeout' : Promise.reject(error)));

  /** The pod is always there, or its interface would drop. */
  const withPod = (manifests: readonly string[]): readonly string[] =>
    manifests.includes(POD_MANIFEST) ? manifests : [POD_MANIFEST, ...manifests];

  it.each([
    ...toHost.map((each) => ({ ...each, group: 'to the host' })),
    ...fromHost.map((each) => ({ ...each, group: 'from the host' })),
    ...forwarded.map((each) => ({ ...each, group: 'forwarded' })),
  ])('$group, $name', async ({ manifests, path }) => {
    const question = questionOf(path);
    const all = withPod(manifests);
    await apply(all);
    expect(await probe(question)).toBe(expectedOf(all, question.packet));
  });

  it('is asked for verdicts of both kinds', () => {
    const answers = [...toHost, ...fromHost, ...forwarded].map(({ manifests, path }) =>
      expectedOf(withPod(manifests), questionOf(path).packet),
    );
    expect(answers.filter((answer) => answer === 'open').length).toBeGreaterThan(10);
    expect(answers.filter((answer) => answer === 'timeout').length).toBeGreaterThan(10);
  });

  it.each(ROWS)(
    'from a workload to its host: $action, host endpoint $endpoint ($rule), own rules $own',
    async ({ own, reaches, action, ...row }) => {
      const manifests = manifestsOf({ own, reaches, action, ...row }).map((text) =>
        text.replace('selector: "!has(hep)"', `nets: [${POD}/32]`),
      );
      await apply(manifests);
      if (own === 'drop') {
        await nft(`table inet own { chain in { type filter hook input priority filter; tcp dport ${PORT} drop\n}\n}`);
      }
      // Accept is no leave to pass the host's own rules: nothing of Tortie's undoes what others drop.
      const isReached = reaches && own === 'accept';
      expect(await probe(questionOf({ kind: 'to-host', in: 'cali1' }))).toBe(isReached ? 'open' : 'timeout');
    },
  );

  it('matches by the destination that a packet was sent to before DNAT, and by its own after it', async () => {
    await nft(
      `table ip nat { chain pre { type nat hook prerouting priority dstnat; tcp dport 80 redirect to :${PORT}\n}\n}`,
    );
    const gnp = (name: string, spec: string): string => `
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: ${name}}
spec: {selector: hep == "true", ${spec}}`;
    const endpoint = `
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: eth0, labels: {hep: "true"}}
spec: {node: ${NODE}, interfaceName: eth0}`;
    const open = gnp('open', `ingress: [{action: Allow, protocol: TCP, destination: {ports: [${PORT}]}}]`);
    const closed = gnp(
      'closed',
      'preDNAT: true, applyOnForward: true, ingress: [{action: Deny, protocol: TCP, destination: {ports: [80]}}]',
    );
    const ask = (port: number) =>
      setting.probe('client', { transport: 'tcp', address: HOST, port, timeoutMs: PATIENCE_MS });
    await apply([POD_MANIFEST, endpoint, open]);
    expect([await ask(80), await ask(PORT)]).toEqual(['open', 'open']);
    await apply([POD_MANIFEST, endpoint, open, closed]);
    expect([await ask(80), await ask(PORT)]).toEqual(['timeout', 'open']);
    await agent.kill();
    expect([await ask(80), await ask(PORT)]).toEqual(['timeout', 'open']);
  });
});
