// Asks the agent for packets, and writes them until the capture is over, the file is full, or somebody stops it.
import { type CaptureLine, fromPacketLine } from '../agent/capture/capture-line.ts';
import { type PacketFileOptions, PacketFiles } from '../agent/capture/packet-files.ts';
import type { CapturedRecord } from '../observe/capture/captured-record.ts';
import { followAnswer } from './agent-client.ts';
import { EXIT } from './exit-codes.ts';
import { visibleText } from './hostile-text.ts';

export interface CaptureAsked {
  readonly socket: string;
  /** As POST /v1/captures takes it. */
  readonly body: object;
  readonly file: PacketFileOptions;
  /** Which of the packets that come. */
  readonly holds: (packet: CapturedRecord) => boolean;
  /** Of each that was written. */
  readonly onPacket?: (packet: CapturedRecord) => void;
}

/** How soon what was captured can be read. */
const FLUSH_MS = 300;

/** Throws what the agent does, and FILE_UNWRITABLE. */
export async function runCapture({ socket, body, file, holds, onPacket }: CaptureAsked): Promise<void> {
  let files: PacketFiles | undefined;
  let missed = 'none missing';
  const end = (): void => {
    files?.close();
    if (files !== undefined)
      tell(`${files.written} packets in ${files.names.join(', ') || 'standard output'}; ${missed}`);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // All that is written is written at once: nothing is under way that would have to be waited for.
    process.once(signal, () => {
      end();
      process.exit(EXIT.OK);
    });
  }
  let failure: unknown;
  const timer = setInterval(() => {
    try {
      files?.flush();
    } catch (error) {
      failure ??= error;
    }
  }, FLUSH_MS);
  const take = (line: CaptureLine): boolean => {
    if (failure !== undefined) throw failure;
    if ('packet' in line) {
      const packet = fromPacketLine(line.packet);
      if (!holds(packet)) return true;
      if (files?.write(packet) === false) return false;
      onPacket?.(packet);
    } else if ('statistics' in line) {
      const { suppressed, lost, unsent } = line.statistics;
      const all = suppressed + lost + unsent;
      files?.note(all);
      if (all > 0) missed = `missing: ${suppressed} over the rate, ${lost} lost, ${unsent} not sent`;
    } else {
      files = new PacketFiles(file);
      if (line.endpoints !== null) tell(`capturing ${line.endpoints.length} endpoints: ${line.endpoints.join(', ')}`);
    }
    return true;
  };
  try {
    for await (const text of followAnswer(socket, { method: 'POST', path: '/v1/captures', body })) {
      if (text !== '' && !take(JSON.parse(text) as CaptureLine)) break;
    }
  } finally {
    clearInterval(timer);
    end();
  }
}

/** Standard output may be the file. */
function tell(text: string): void {
  process.stderr.write(`${visibleText(text)}\n`);
}
