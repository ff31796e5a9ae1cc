// The action Log: lines about packets that met a Log rule, as many for each rule as the settings allow. What is left out is counted,
// and said with the next line of the rule or soon after.
import { Event, EventKind } from '../../abi/event.gen.ts';
import type { Logger } from '../../base/log.ts';
import { decodeEvents } from '../../events/decode.ts';
import type { FlowEvent } from '../../events/event.ts';
import type { NameLookup } from '../../model/name-lookup.ts';
import {
  describePacket,
  expandPrefix,
  formatPacket,
  type LoggedRule,
  type PacketEntry,
  ruleKey,
} from '../../observe/export/log-action.ts';
import { parseRate, RuleRates } from '../../observe/export/rule-rates.ts';
import { WORD } from '../../tables/layout.ts';
import { type ExportCounters, Exporter } from '../export/exporter.ts';
import { parseTargets } from '../export/target.ts';
import { PACKET_LOG_KINDS, resolveAuto } from './auto-log.ts';
import type { LoggedRules } from './logged-rules.ts';
import { packetSinkOf, sizeOfEntry } from './packet-sinks.ts';

export interface PacketLogSettings {
  /** `auto`, or URLs. */
  readonly packetLog: string;
  readonly logPrefix: string;
  /** As parseRate takes it. */
  readonly logActionRate: string;
  readonly logActionBurst: number;
}

export interface PacketLogParts {
  readonly rules: Pick<LoggedRules, 'find'>;
  readonly names: Pick<NameLookup, 'endpointAt' | 'interfaceName'>;
  readonly host: string;
  readonly log: Logger;
}

export interface PacketLogCounters {
  readonly lines: number;
  readonly suppressed: number;
  readonly exporters: readonly ExportCounters[];
}

const LENGTH_BYTES = 4;
const SUPPRESSED_EVERY_MS = 10_000;
const KINDS: ReadonlySet<number> = new Set([EventKind.LOG, EventKind.DENIED, EventKind.FLOW_REVOKED]);

export class PacketLog {
  readonly #parts: PacketLogParts;
  readonly #rates = new RuleRates<LoggedRule>('unlimited');
  readonly #timer: NodeJS.Timeout;
  #prefix = '';
  #written = '';
  #exporters: readonly Exporter<PacketEntry>[] = [];
  #lines = 0;
  #suppressed = 0;

  constructor(parts: PacketLogParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#tellSuppressed(), SUPPRESSED_EVERY_MS);
    this.#timer.unref();
  }

  /** Throws what parseTargets does; then nothing has changed. */
  async configure({ packetLog, logPrefix, logActionRate, logActionBurst }: PacketLogSettings): Promise<void> {
    const written = resolveAuto(packetLog);
    const targets = parseTargets(written, PACKET_LOG_KINDS);
    this.#prefix = logPrefix;
    this.#rates.setLimit(parseRate(logActionRate, logActionBurst) ?? 'unlimited');
    if (written === this.#written) return;
    const { log, host } = this.#parts;
    const before = this.#exporters;
    this.#written = written;
    this.#exporters = [];
    await Promise.all(before.map((exporter) => exporter.close()));
    this.#exporters = targets.map(
      (target) =>
        new Exporter({ target, sink: packetSinkOf(target, host), sizeOf: sizeOfEntry, spool: undefined, log }),
    );
  }

  /** Of the ring buffer. Looks at three fields of a record, unless it is one to be logged. */
  take(chunk: Uint8Array): void {
    if (this.#exporters.length === 0) return;
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const entries: PacketEntry[] = [];
    for (let at = 0; at + LENGTH_BYTES <= chunk.length; ) {
      const length = view.getUint32(at, true);
      const end = at + LENGTH_BYTES + Math.ceil(length / 8) * 8;
      if (length >= Event.SIZE && end <= chunk.length && isLogged(view, at + LENGTH_BYTES)) {
        for (const event of decodeEvents(chunk.subarray(at, end))) this.#log(event, entries);
      }
      at = end;
    }
    this.#give(entries);
  }

  counters(): PacketLogCounters {
    const exporters = this.#exporters.map((exporter) => exporter.counters());
    return { lines: this.#lines, suppressed: this.#suppressed, exporters };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#tellSuppressed();
    const before = this.#exporters;
    this.#exporters = [];
    await Promise.all(before.map((exporter) => exporter.close()));
  }

  #log(event: FlowEvent, entries: PacketEntry[]): void {
    for (const rule of this.#parts.rules.find(event)) {
      const suppressed = this.#rates.admit(ruleKey(rule), rule, performance.now());
      if (suppressed === undefined) this.#suppressed += 1;
      else entries.push(this.#toEntry(event, rule, suppressed));
    }
  }

  #toEntry(event: FlowEvent, rule: LoggedRule, suppressed: number): PacketEntry {
    const { names } = this.#parts;
    const packet = describePacket(event, {
      inInterface: names.interfaceName(event.ifindex) ?? `#${event.ifindex}`,
      outInterface: event.outIfindex === 0 ? '' : (names.interfaceName(event.outIfindex) ?? `#${event.outIfindex}`),
      sourceEndpoint: event.source && names.endpointAt(event.source),
      destinationEndpoint: event.destination && names.endpointAt(event.destination),
    });
    const tail = suppressed > 0 ? ` SUPPRESSED=${suppressed}` : '';
    const text = `${expandPrefix(this.#prefix, rule)}${formatPacket(packet)}${tail}`;
    return { time: Date.now(), text, rule, packet, suppressed };
  }

  #tellSuppressed(): void {
    this.#give(
      this.#rates.takeSuppressed(performance.now()).map(({ rule, suppressed }) => {
        const text = `${expandPrefix(this.#prefix, rule)}SUPPRESSED=${suppressed}`;
        return { time: Date.now(), text, rule, suppressed };
      }),
    );
  }

  #give(entries: readonly PacketEntry[]): void {
    this.#lines += entries.length;
    for (const exporter of this.#exporters) exporter.accept(entries);
  }
}

/** A new flow with a Log rule has an event of its own for it. */
function isLogged(view: DataView, start: number): boolean {
  const { OFFSET } = Event;
  const kind = view.getUint8(start + OFFSET.kind);
  if (kind === EventKind.LOG) return true;
  if (!KINDS.has(kind)) return false;
  const words = view.getUint32(start + OFFSET.egress_word, true) | view.getUint32(start + OFFSET.ingress_word, true);
  return (words & WORD.LOG) !== 0;
}
