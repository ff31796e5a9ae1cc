// tortie capture: packets of endpoints into a pcapng file, each with its verdict, reason and rule as a comment.
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  CAPTURE_DEFAULTS,
  CAPTURE_LIMITS,
  CAPTURE_VERDICTS,
  parseCaptureRequest,
} from '../../agent/capture/capture-request.ts';
import { allOf, anyOf, type FlowFilter } from '../../observe/flow-query/filter.ts';
import { makeCondition } from '../../observe/flow-query/parse-filter.ts';
import { predicateOf } from '../../observe/flow-query/predicate.ts';
import { runCapture } from '../capture-run.ts';
import { givenFilters } from '../flows-options.ts';
import { socketOption, wholeNumber } from '../options.ts';
import { packetFilter, packetLog } from '../packet-log.ts';

interface CaptureFlags {
  readonly socket: string;
  readonly selector?: string;
  readonly namespace?: string;
  readonly endpoint?: string;
  readonly hostEndpoint?: string;
  readonly verdict: string;
  readonly duration: number;
  readonly size: number;
  readonly files: number;
  readonly snaplen: number;
  readonly rate: number;
  readonly protocol?: readonly string[];
  readonly port?: readonly string[];
  readonly filter?: readonly string[];
  readonly write: string;
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
const BYTES: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
const MIN_FILE_BYTES = 4096;
const MAX_FILE_BYTES = 4 * 2 ** 30;
const MAX_FILES = 1000;

const HELP = `
Endpoints that come while it runs are captured too. What the rate or a full buffer left out is counted, and written at the end of
the file. Files are the owner's alone; - writes to standard output:
  tortie capture --selector "app == 'web'" --verdict deny --duration 5m -w denied.pcapng
  tortie capture --endpoint shop/web-1 --port 443 -w - | tshark -r - -T fields -e frame.comment
  tortie capture --namespace shop --size 10M --files 5 -w shop.pcapng      shop-00001.pcapng and so on, the newest five
  tortie capture --host-endpoint gate --verdict deny -w gate.pcapng        without Ethernet headers: the host's hooks have none`;

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];

export function fillCaptureCommand(command: Command): void {
  command
    .addOption(socketOption())
    .option('--selector <selector>', "packets of endpoints that it selects, e.g. app == 'web'")
    .option('--namespace <name>', 'packets of endpoints of this namespace')
    .option('--endpoint <ns/name>', 'packets of this endpoint')
    .option('--host-endpoint <name>', "packets that policy of this endpoint of the host denies; needs '--verdict deny'")
    .addOption(
      new Option('--verdict <verdict>', 'those that are allowed, denied, or all')
        .choices(CAPTURE_VERDICTS)
        .default('all'),
    )
    .option('--duration <time>', 'how long, as 30s, 5m or 1h; 24h at most', parseDuration, 60)
    .option('--size <bytes>', 'of each file at most, as 500K, 10M or 1G', parseSize, 100 * 2 ** 20)
    .option('--files <n>', 'go on in another file when one is full, and keep so many', wholeNumber(1, MAX_FILES), 1)
    .option(
      '--snaplen <bytes>',
      'of each packet at most',
      wholeNumber(16, CAPTURE_LIMITS.snapBytes),
      CAPTURE_DEFAULTS.snapBytes,
    )
    .option(
      '--rate <n>',
      'packets for each CPU and second at most',
      wholeNumber(1, CAPTURE_LIMITS.packetsPerSecond),
      CAPTURE_DEFAULTS.packetsPerSecond,
    )
    .addOption(new Option('--protocol <name>', 'only of this protocol, by name or number').argParser(collect))
    .addOption(new Option('--port <port>', 'only from or to this port, or range of ports').argParser(collect))
    .addOption(new Option('--filter <expression>', 'only those for which it holds').argParser(collect))
    .requiredOption('-w, --write <file>', 'where to; - = standard output')
    .addHelpText('after', HELP)
    .action(capture);
}

async function capture(flags: CaptureFlags): Promise<void> {
  const { socket, selector, namespace, endpoint, hostEndpoint, verdict, duration, size, files, snaplen, rate } = flags;
  const body = {
    selector,
    namespace,
    endpoint,
    hostEndpoint,
    verdict,
    seconds: duration,
    snapBytes: snaplen,
    packetsPerSecond: rate,
  };
  // What the agent would refuse is refused before it is asked, and before a file is made.
  parseCaptureRequest(JSON.parse(JSON.stringify(body)));
  const matches = predicateOf(captureFilter(flags));
  await runCapture({
    socket,
    body,
    file: { path: flags.write, snapBytes: snaplen, maxBytes: size, maxFiles: files },
    holds: ({ record, verdict }) => matches(packetLog(record, verdict)),
  });
}

/** A port may be that of either end, as in a PacketCapture: answers belong to it. Throws USAGE, INVALID_FILTER. */
export function captureFilter({ protocol, port = [], filter }: Partial<CaptureFlags>): FlowFilter {
  const asked = packetFilter(givenFilters({ protocol, filter }), 'capture');
  const ports = port.flatMap((value) => [
    makeCondition('port', 'to.port', value),
    makeCondition('port', 'from.port', value),
  ]);
  return ports.length === 0 ? asked : allOf([asked, anyOf(ports)]);
}

function parseDuration(text: string): number {
  const [, number, unit = 's'] = /^([1-9]\d{0,5})([smh])?$/.exec(text) ?? [];
  const seconds = Number(number) * (SECONDS[unit] as number);
  if (seconds <= CAPTURE_LIMITS.seconds) return seconds;
  throw new InvalidArgumentError('expected a number and s, m or h, as 30s or 5m; 24h at most');
}

function parseSize(text: string): number {
  const [, number, unit = ''] = /^([1-9]\d{0,9})([KMG])?$/.exec(text) ?? [];
  const bytes = Number(number) * (BYTES[unit] as number);
  if (bytes >= MIN_FILE_BYTES && bytes <= MAX_FILE_BYTES) return bytes;
  throw new InvalidArgumentError('expected a number and K, M or G, as 500K or 10M; from 4K to 4G');
}
