// tortie trace: one flow, and every decision on its way: tier, policy, rule, file and line.
import { type Command, Option } from 'commander';
import { ENGINES, type EngineName, loadManifests, openEngine } from '../../agent/offline.ts';
import { DataplaneError } from '../../base/errors.ts';
import { type Family, formatAddress, type IpAddress, parseAddress } from '../../model/address.ts';
import { type Flow, hasPorts, isIcmp, protocolName } from '../../model/flow.ts';
import { formatAnswer, parseFlowQuestion } from '../../model/flow-question.ts';
import type { TraceEntry } from '../../model/trace.ts';
import type { SideVerdict } from '../../model/verdict.ts';
import type { World } from '../../model/world.ts';
import { EXIT } from '../exit-codes.ts';
import { manifestsOption, nodeOption, outputOption, wholeNumber } from '../options.ts';
import { formatTable, type OutputFormat, paint, printData, printError } from '../output.ts';

interface TraceFlags {
  readonly manifests: string;
  readonly node: string;
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port?: number;
  readonly sourcePort?: number;
  readonly icmpType?: number;
  readonly icmpCode?: number;
  readonly family?: '4' | '6';
  readonly engine: EngineName;
  readonly output: OutputFormat;
}

export function fillTraceCommand(command: Command): void {
  command
    .requiredOption('--from <endpoint>', 'namespace/name of a workload endpoint, or an address')
    .requiredOption('--to <endpoint>', 'namespace/name of a workload endpoint, or an address')
    .option('--protocol <name>', 'TCP, UDP, SCTP, ICMP, ICMPv6, UDPLite or 0-255', 'TCP')
    .option('--port <n>', 'destination port', wholeNumber(0, 65535))
    .option('--source-port <n>', 'source port (default: 32768)', wholeNumber(0, 65535))
    .option('--icmp-type <n>', 'ICMP type (default: echo request)', wholeNumber(0, 255))
    .option('--icmp-code <n>', 'ICMP code (default: 0)', wholeNumber(0, 255))
    .addOption(new Option('--family <4|6>', 'address family, when both ends have both').choices(['4', '6']))
    .addOption(new Option('--engine <name>', 'which engine answers').choices([...ENGINES]).default('tables'))
    .addOption(manifestsOption())
    .addOption(nodeOption())
    .addOption(outputOption())
    .action(runTrace);
}

async function runTrace(flags: TraceFlags): Promise<void> {
  const { world, errors } = loadManifests(flags.manifests);
  errors.forEach(printError);
  const flow = resolveFlow(world, flags);
  const engine = openEngine(flags.engine, world, flags.node);
  const { verdict, egress, ingress } = engine.evaluate(flow);
  engine.close();
  await printData(formatAnswer(null, { verdict, egress, ingress }), flags.output, () =>
    [
      `${paint(verdict.toUpperCase(), verdict === 'allow' ? 'green' : 'red')}  ${describeFlow(flow)}`,
      ...describeSide('egress', flags.from, egress),
      ...describeSide('ingress', flags.to, ingress),
    ].join('\n'),
  );
  if (errors.length > 0) process.exitCode = EXIT.INVALID;
}

/** Names become addresses of a family that both ends have, IPv4 first. */
function resolveFlow(world: World, flags: TraceFlags): Flow {
  const from = addressesOf(world, flags.from);
  const to = addressesOf(world, flags.to);
  const families: readonly Family[] = flags.family === undefined ? [4, 6] : [flags.family === '4' ? 4 : 6];
  for (const family of families) {
    const source = from.find((address) => address.family === family);
    const destination = to.find((address) => address.family === family);
    if (source === undefined || destination === undefined) continue;
    return parseFlowQuestion({
      src: formatAddress(source),
      dst: formatAddress(destination),
      protocol: flags.protocol,
      srcPort: flags.sourcePort,
      dstPort: flags.port,
      icmpType: flags.icmpType,
      icmpCode: flags.icmpCode,
    }).flow;
  }
  throw new DataplaneError('NOT_FOUND', 'the two ends have no address family in common', {
    operation: 'trace',
    target: `${flags.from} to ${flags.to}`,
    found: `${from.map(formatAddress).join(' ')} and ${to.map(formatAddress).join(' ')}`,
  });
}

function addressesOf(world: World, name: string): readonly IpAddress[] {
  const address = parseAddress(name);
  if (address !== undefined) return [address];
  for (const endpoint of world.workloadEndpoints.values()) {
    if (endpoint.displayName === name || endpoint.key === name) return endpoint.addresses;
  }
  const known = [...world.workloadEndpoints.values()].map(({ displayName }) => displayName).sort();
  throw new DataplaneError('NOT_FOUND', 'no such workload endpoint', {
    operation: 'trace',
    target: name,
    expected: `an address or one of: ${known.slice(0, 8).join(', ')}${known.length > 8 ? ', ...' : ''}`,
  });
}

function describeFlow({
  source,
  destination,
  protocol,
  sourcePort,
  destinationPort,
  icmpType,
  icmpCode,
}: Flow): string {
  const place = (address: IpAddress, port: number): string => {
    const text = formatAddress(address);
    if (!hasPorts(protocol)) return text;
    return address.family === 6 ? `[${text}]:${port}` : `${text}:${port}`;
  };
  const icmp = isIcmp(protocol) ? ` type ${icmpType} code ${icmpCode}` : '';
  return `${protocolName(protocol)}${icmp} ${place(source, sourcePort)} -> ${place(destination, destinationPort)}`;
}

function describeSide(direction: string, name: string, side: SideVerdict | null): string[] {
  if (side === null) return ['', `${direction}: ${name} is no workload endpoint, nothing to judge`];
  const logged = side.isLogged ? ', logged' : '';
  const lines = [
    '',
    `${direction} of ${side.endpoint}: ${colourVerdict(side.verdict)}${logged}`,
    traceTable(side.trace),
  ];
  const { pending } = side;
  if (pending === undefined) return lines;
  const heading = `with every staged policy enforced: ${colourVerdict(pending.verdict)}`;
  return [...lines, heading, traceTable(pending.trace)];
}

function colourVerdict(verdict: SideVerdict['verdict']): string {
  return paint(verdict, verdict === 'allow' ? 'green' : 'red');
}

function traceTable(trace: readonly TraceEntry[]): string {
  const rows = trace.map((entry, index) => [`  ${index}`, ...describeEntry(entry)]);
  return formatTable(['   ', 'TIER', 'POLICY', 'RULE', 'ACTION', 'WHERE'], rows);
}

function describeEntry({ tier, kind, namespace, name, ruleIndex, action, location }: TraceEntry): string[] {
  const policy = `${kind}:${namespace === undefined || namespace === '' ? '' : `${namespace}/`}${name}`;
  const rule = ruleIndex >= 0 ? String(ruleIndex) : 'default';
  const where = location === undefined || location.file === '' ? 'built in' : `${location.file}:${location.line}`;
  return [tier, policy, rule, action, where];
}
