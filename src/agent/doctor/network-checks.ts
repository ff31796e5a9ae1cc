// Checks of who else has a say about packets: other packet filters, other programs on interfaces, and packet sizes.
import { type Check, fail, type Judgement, type Machine, ok, type ProgramsOnLink, skip, warn } from './finding.ts';

export const NETWORK_CHECKS: readonly Check[] = [
  { id: 'nftables', checked: 'no rule of nftables drops what policy allows', run: checkNftables },
  { id: 'iptables', checked: 'no rule of iptables drops what policy allows', run: checkIptables },
  { id: 'firewall-managers', checked: 'nobody else writes packet filters: firewalld, ufw', run: checkManagers },
  { id: 'other-programs', checked: 'no other program is in front of ours on an interface', run: checkPrograms },
  {
    id: 'other-filters',
    checked: 'no tc filter or XDP program of others is on a workload interface',
    run: checkFilters,
  },
  { id: 'mtu', checked: 'workload interfaces send no larger packets than the network takes', run: checkMtu },
];

/** Names that other network plugins give their chains and tables. */
const PLUGINS: Readonly<Record<string, RegExp>> = {
  Calico: /^cali[-_]/i,
  Cilium: /^(OLD_)?CILIUM_/i,
  Flannel: /^FLANNEL/i,
  Weave: /^WEAVE/i,
  'kube-router': /^KUBE-(ROUTER|POD-FW|NWPLCY)/i,
};

interface NftChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
}

/** Chains that drop by themselves, or by one of their rules, on the ways of workloads' packets. */
async function checkNftables(machine: Machine): Promise<Judgement> {
  const text = await machine.run('nft', '-j', 'list', 'ruleset');
  if (text === undefined) return skip('nft is not there, or may not be asked');
  const { nftables } = JSON.parse(text) as { nftables: readonly Readonly<Record<string, unknown>>[] };
  const chains = nftables.flatMap(({ chain }) => (chain === undefined ? [] : [chain as NftChain]));
  const rules = nftables.flatMap(({ rule }) => (rule === undefined ? [] : [rule as NftRule]));
  const droppers = chains.filter((chain) => chain.hook === 'forward' && chain.policy === 'drop').map(placeOf);
  const dropping = rules.filter(({ expr }) => expr.some((one) => 'drop' in one || 'reject' in one));
  const places = [...new Set(dropping.map((rule) => `${rule.family} ${rule.table} ${rule.chain}`))];
  return judgeFilters({
    droppers,
    places,
    plugins: pluginsOf(chains.flatMap(({ name, table }) => [name, table])),
    program: 'nft list ruleset',
    count: rules.length,
  });
}

interface NftRule {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly expr: readonly object[];
}

function placeOf({ family, table, name }: NftChain): string {
  return `${family} ${table} ${name}`;
}

async function checkIptables(machine: Machine): Promise<Judgement> {
  const texts: string[] = [];
  for (const program of ['iptables-save', 'iptables-legacy-save', 'ip6tables-save', 'ip6tables-legacy-save']) {
    const text = await machine.run(program);
    if (text !== undefined) texts.push(text);
  }
  if (texts.length === 0) return skip('iptables-save is not there, or may not be asked');
  const lines = [...new Set(texts.flatMap((text) => text.split('\n')))];
  const rules = lines.filter((line) => line.startsWith('-A '));
  const dropping = rules.filter((line) => / -j (DROP|REJECT)\b/.test(line));
  return judgeFilters({
    droppers: lines.some((line) => /^:FORWARD DROP\b/.test(line)) ? ['FORWARD'] : [],
    places: [...new Set(dropping.map((line) => line.split(' ')[1] as string))],
    plugins: pluginsOf(lines.flatMap((line) => /^:(\S+)/.exec(line)?.[1] ?? [])),
    program: 'iptables-save',
    count: rules.length,
  });
}

interface OtherFilter {
  /** Chains on the way of forwarded packets that drop what no rule accepts. */
  readonly droppers: readonly string[];
  /** Chains with a rule that drops. */
  readonly places: readonly string[];
  readonly plugins: readonly string[];
  readonly program: string;
  readonly count: number;
}

function judgeFilters({ droppers, places, plugins, program, count }: OtherFilter): Judgement {
  if (droppers.length > 0) {
    return fail(
      `${droppers.join(', ')} drops forwarded packets that no rule of it accepts`,
      `what policy allows must be accepted there too, or its policy be accept; see: ${program}`,
    );
  }
  if (plugins.length > 0) {
    return warn(
      `chains of ${plugins.join(', ')}`,
      `two network plugins disagree sooner or later; remove what is left of one`,
    );
  }
  if (places.length === 0) return ok(`${count} rules, none of which drops`);
  return warn(
    `rules that drop in ${places.slice(0, 5).join('; ')}`,
    `packets that policy allows may be dropped there; see: ${program}`,
  );
}

function pluginsOf(names: readonly string[]): string[] {
  return Object.entries(PLUGINS)
    .filter(([, pattern]) => names.some((name) => pattern.test(name)))
    .map(([plugin]) => plugin);
}

/** Managers whose rules stay beside policy without harm, by a name that they give a chain. */
const NEIGHBOURS: Readonly<Record<string, RegExp>> = { Docker: /^DOCKER$/, libvirt: /^LIBVIRT_/ };

/** By what they have written: firewalld leaves no other sign where systemd starts it. */
async function checkManagers(machine: Machine): Promise<Judgement> {
  const names = await namesOfFilters(machine);
  const isThere = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  const firewalld = isThere(/^(firewalld|INPUT_ZONES)$/) || machine.read('/run/firewalld.pid') !== undefined;
  const ufw = /^ENABLED=yes$/m.test(machine.read('/etc/ufw/ufw.conf') ?? '');
  const found = [...(firewalld ? ['firewalld'] : []), ...(ufw ? ['ufw'] : [])];
  const neighbours = Object.entries(NEIGHBOURS).flatMap(([name, pattern]) => (isThere(pattern) ? [name] : []));
  if (found.length > 0) {
    return warn(
      `${[...found, ...neighbours].join(', ')} write rules on this machine`,
      'a packet must pass theirs too: have them accept what policy is to decide, or disable them: systemctl disable --now firewalld; ufw disable',
    );
  }
  return ok(neighbours.length > 0 ? `${neighbours.join(', ')} write rules too` : 'neither firewalld nor ufw is on');
}

/** Of tables and chains, in whatever they are written. */
async function namesOfFilters(machine: Machine): Promise<string[]> {
  const ruleset = await machine.run('nft', '-j', 'list', 'ruleset');
  const { nftables } = JSON.parse(ruleset ?? '{"nftables":[]}') as { nftables: readonly { chain?: NftChain }[] };
  const saved = await Promise.all(['iptables-save', 'iptables-legacy-save'].map((program) => machine.run(program)));
  const legacy = saved.flatMap((text) => (text ?? '').split('\n').flatMap((line) => /^:(\S+)/.exec(line)?.[1] ?? []));
  return [...nftables.flatMap(({ chain }) => (chain === undefined ? [] : [chain.table, chain.name])), ...legacy];
}

function checkPrograms(machine: Machine): Judgement {
  const hooks = machine.programs();
  if (hooks.length === 0) return skip('no interface has a link or filter of ours');
  const before = hooks.filter(({ ids, ours }) => ours !== 0 && ids[0] !== ours);
  const missing = hooks.filter(({ ours }) => ours === 0);
  const name = (one: (typeof hooks)[number]): string => `${one.name} ${one.direction}`;
  if (missing.length > 0) {
    return fail(`not attached: ${missing.map(name).join(', ')}`, 'start the agent: it attaches within seconds');
  }
  if (before.length > 0) {
    return fail(
      `other programs come first: ${before.map((one) => `${name(one)} (${listOf(one)})`).join(', ')}`,
      'find their owner: bpftool prog show id N; a running agent takes its place in front every 5 s',
    );
  }
  const after = hooks.filter(({ ids }) => ids.length > 1);
  if (after.length === 0) return ok(`${hooks.length} hooks, ours alone`);
  return warn(
    `others after ours: ${after.map((one) => `${name(one)} (${listOf(one)})`).join(', ')}`,
    'they see only what policy allows, and may drop it',
  );
}

function listOf({ ids, filters }: ProgramsOnLink): string {
  return filters === undefined ? `programs ${ids.join(', ')}` : filters.join('; ');
}

interface TcFilter {
  readonly kind: string;
  /** A filter is listed with options; what only groups filters, without. */
  readonly options?: { readonly bpf_name?: string };
}

interface IpLink {
  readonly ifname: string;
  readonly mtu: number;
  readonly linkinfo?: { readonly info_kind?: string };
  readonly xdp?: unknown;
}

/** How the kernel calls our filters: 15 characters of the program's name. */
const OUR_FILTER = /^tt_(from|to)_work/;
const MOST_INTERFACES = 200;

async function checkFilters(machine: Machine): Promise<Judgement> {
  const links = await linksOf(machine);
  if (links === undefined) return skip('ip is not there, or may not be asked');
  const names = new Set(machine.programs().map(({ name }) => name));
  const ours = links.filter(({ ifname }) => names.has(ifname)).slice(0, MOST_INTERFACES);
  const others: string[] = ours.filter(({ xdp }) => xdp !== undefined).map(({ ifname }) => `XDP on ${ifname}`);
  for (const { ifname } of ours) {
    for (const direction of ['ingress', 'egress']) {
      const text = await machine.run('tc', '-j', 'filter', 'show', 'dev', ifname, direction);
      if (foreignFilters(text ?? '[]') > 0) others.push(`tc filter on ${ifname} ${direction}`);
    }
  }
  if (others.length === 0) return ok(`none on ${ours.length} interfaces`);
  return warn(others.join(', '), 'it may drop or redirect what policy allows; see: tc filter show dev NAME ingress');
}

/** How many filters of a listing by `tc -j` are not ours. */
export function foreignFilters(text: string): number {
  const filters = JSON.parse(text.trim() === '' ? '[]' : text) as readonly TcFilter[];
  return filters.filter(({ options }) => options !== undefined && !OUR_FILTER.test(options.bpf_name ?? '')).length;
}

async function checkMtu(machine: Machine): Promise<Judgement> {
  const links = await linksOf(machine);
  const routes = await machine.run('ip', '-j', 'route', 'show', 'default');
  if (links === undefined || routes === undefined) return skip('ip is not there, or may not be asked');
  const devices = new Set((JSON.parse(routes || '[]') as { dev?: string }[]).map(({ dev }) => dev));
  const underlay = links.filter(({ ifname }) => devices.has(ifname));
  if (underlay.length === 0) return skip('no default route: nothing to compare with');
  const least = Math.min(...underlay.map(({ mtu }) => mtu));
  const workloads = links.filter(({ ifname, linkinfo }) => linkinfo?.info_kind === 'veth' && !devices.has(ifname));
  const larger = workloads.filter(({ mtu }) => mtu > least);
  if (larger.length === 0) return ok(`${workloads.length} workload interfaces, none over ${least}`);
  const first = larger[0] as IpLink;
  return warn(
    `${larger.length} workload interfaces are over the network's ${least}: ${first.ifname} has ${first.mtu}`,
    `set the MTU of the network plugin to ${least}; of one pair: ip link set ${first.ifname} mtu ${least}, and its other end`,
  );
}

async function linksOf(machine: Machine): Promise<readonly IpLink[] | undefined> {
  const text = await machine.run('ip', '-j', '-d', 'link');
  return text === undefined ? undefined : (JSON.parse(text) as IpLink[]);
}
