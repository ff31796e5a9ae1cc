// Which cases of a truth table a test in a guest takes, and a policy that turns one.
import type { TruthCase } from '../../../tools/lab/truth-table.ts';
import { WORKLOADS } from '../../host/support/truth-suite.ts';

/** A storm there must not be answered. */
export function isClosedToUdp({ request, expected }: TruthCase): boolean {
  return request.transport === 'udp' && expected[0] === 'timeout';
}

/** A connection there is to live on. */
export function isOpenToTcp({ request, expected }: TruthCase): boolean {
  return request.transport === 'tcp' && expected[0] === 'open';
}

/** Open to UDP, to a workload that is judged by more than one policy of the first tier. */
export function isDeniable({ to, request, expected }: TruthCase): boolean {
  const namespace = WORKLOADS.find(({ pod }) => pod === to)?.namespace;
  return request.transport === 'udp' && expected[0] === 'open' && namespace !== 'free';
}

/** A policy before all others that closes what is open, and nothing else. */
export function denying(name: string, { to, request }: TruthCase): object {
  const { app } = WORKLOADS.find(({ pod }) => pod === to)?.labels ?? {};
  const destination = { ports: [request.port] };
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name },
    spec: {
      tier: 'security',
      order: 1,
      selector: `app == '${app}'`,
      types: ['Ingress'],
      ingress: [{ action: 'Deny', protocol: 'UDP', destination }],
    },
  };
}

/** The first IPv4 case and the first IPv6 case. */
export function ofEachFamily(cases: readonly TruthCase[]): TruthCase[] {
  return [false, true].flatMap((isV6) => cases.find(({ request }) => request.address.includes(':') === isV6) ?? []);
}
