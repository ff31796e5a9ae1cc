// Checks of what leads packets past the hooks of the host, where policy of host endpoints is applied.
import { type Check, type Judgement, type Machine, ok, skip, warn } from './finding.ts';

export const BYPASS_CHECKS: readonly Check[] = [
  {
    id: 'flowtables',
    checked: 'no flowtable of nftables leads forwarded packets past policy of host endpoints',
    run: checkFlowtables,
  },
  { id: 'ipvs', checked: 'no service of IPVS shows forwarded packets as packets of the host', run: checkIpvs },
];

const MOST_NAMED = 5;
const IPVS_SERVICES = '/proc/net/ip_vs';

interface Flowtable {
  readonly family: string;
  readonly table: string;
  readonly name: string;
}

async function checkFlowtables(machine: Machine): Promise<Judgement> {
  const text = await machine.run('nft', '-j', 'list', 'ruleset');
  if (text === undefined) return skip('nft is not there, or may not be asked');
  const { nftables } = JSON.parse(text) as { nftables: readonly { readonly flowtable?: Flowtable }[] };
  const found = nftables.flatMap(({ flowtable }) => flowtable ?? []);
  if (found.length === 0) return ok('none');
  return warn(
    inShort(found.map(({ family, table, name }) => `${family} ${table} ${name}`)),
    'connections in them skip the forward policy of host endpoints, and a change of it, until they leave the flowtable; policy of workloads holds. Take the rules with "flow add" away where that must not be',
  );
}

function checkIpvs({ read }: Machine): Judgement {
  const services = [...(read(IPVS_SERVICES) ?? '').matchAll(/^(TCP|UDP|SCTP|FWM) +(\S+)/gm)];
  if (services.length === 0) return ok('no services');
  return warn(
    inShort(services.map(([, protocol, place]) => `${protocol} ${place}`)),
    'what clients send to these services, and what comes back, meets the policy for the host itself, never the forward policy of host endpoints: allow the services there',
  );
}

function inShort(names: readonly string[]): string {
  const rest = names.length > MOST_NAMED ? `, and ${names.length - MOST_NAMED} more` : '';
  return names.slice(0, MOST_NAMED).join(', ') + rest;
}
