// One YAML or JSON document by js-yaml's events: values and lines from one parse, several times as fast as the full
// parser. What it does not answer (anchors, merge keys, odd keys, errors) full-yaml.ts decides.
import { constructFromEvents, EVENT_ID, type Event, getScalarValue, parseEvents } from 'js-yaml';
import { hasControlCharacter, lineAtOffset, MAX_DEPTH, MAX_KEY_LENGTH } from './bounds.ts';
import type { LineTree } from './line-tree.ts';

export interface EventDocument {
  readonly value: unknown;
  /** 1-based line of the first content. */
  readonly line: number;
}

/** The value of the text's only document; undefined = ask the full parser. */
export function parseEventYaml(text: string): EventDocument | undefined {
  const events = eventsOf(text);
  if (events === undefined) return undefined;
  try {
    const [value = null] = constructFromEvents(events, { source: text });
    return { value, line: lineAtOffset(text, startOf(events[1])) };
  } catch {
    return undefined;
  }
}

/** Lines of the text's only document; undefined = ask the full parser. */
export function readEventLines(text: string): LineTree | undefined {
  const events = eventsOf(text);
  return events === undefined ? undefined : new LineReader(text, events).read();
}

function eventsOf(text: string): Event[] | undefined {
  if (hasControlCharacter(text)) return undefined;
  try {
    const events = parseEvents(text, { maxDepth: MAX_DEPTH });
    const isOdd = events.slice(1).some((event) => needsFullParser(event, text)) || hasOddKey(events);
    return isOdd ? undefined : events;
  } catch {
    return undefined;
  }
}

/** Anchors can expand without bound, merge keys are not of the core schema, and one document is all that is asked. */
function needsFullParser(event: Event, text: string): boolean {
  switch (event.type) {
    case EVENT_ID.DOCUMENT:
    case EVENT_ID.ALIAS:
      return true;
    case EVENT_ID.SCALAR:
      return event.anchorStart >= 0 || text.slice(event.valueStart, event.valueEnd) === '<<';
    case EVENT_ID.MAPPING:
    case EVENT_ID.SEQUENCE:
      return event.anchorStart >= 0;
    default:
      return false;
  }
}

/** Whether a key is a collection or longer than keys are. */
function hasOddKey(events: readonly Event[]): boolean {
  /** One entry for each open collection: whether a mapping's next node is a key; undefined = a sequence. */
  const open: (boolean | undefined)[] = [];
  for (const event of events.slice(1)) {
    if (event.type === EVENT_ID.POP) {
      open.pop();
      continue;
    }
    const isKey = open.at(-1) === true;
    if (open.at(-1) !== undefined) open[open.length - 1] = !isKey;
    if (event.type === EVENT_ID.SCALAR) {
      if (isKey && event.valueEnd - event.valueStart > MAX_KEY_LENGTH) return true;
      continue;
    }
    if (isKey) return true;
    open.push(event.type === EVENT_ID.MAPPING ? true : undefined);
  }
  return false;
}

/** Walks the events once; offsets only grow, and so do lines. */
class LineReader {
  readonly #text: string;
  readonly #events: readonly Event[];
  #next = 1;
  #line = 1;
  /** Where the line at hand ends: found once, because one line may be the whole text. */
  #lineEnd: number;

  constructor(text: string, events: readonly Event[]) {
    this.#text = text;
    this.#events = events;
    this.#lineEnd = endOfLine(text, 0);
  }

  read(): LineTree {
    const root = this.#events[this.#next];
    return root === undefined || root.type === EVENT_ID.POP ? { line: 1 } : this.#node(this.#lineAt(startOf(root)));
  }

  /** The node at hand; `line` is where it, or the key before it, is written. */
  #node(line: number): LineTree {
    const event = this.#events[this.#next++] as Event;
    if (event.type === EVENT_ID.SEQUENCE) {
      const entries: LineTree[] = [];
      while (!this.#isAtEnd()) entries.push(this.#node(this.#lineAt(startOf(this.#events[this.#next]))));
      this.#next += 1;
      return { line, entries };
    }
    if (event.type !== EVENT_ID.MAPPING) return { line };
    const entries = new Map<string, LineTree>();
    while (!this.#isAtEnd()) {
      const key = this.#events[this.#next] as Event;
      const keyLine = this.#lineAt(startOf(key));
      if (key.type === EVENT_ID.SCALAR) this.#next += 1;
      else this.#node(keyLine);
      entries.set(key.type === EVENT_ID.SCALAR ? getScalarValue(this.#text, key) : '', this.#node(keyLine));
    }
    this.#next += 1;
    return { line, entries };
  }

  #isAtEnd(): boolean {
    const event = this.#events[this.#next];
    return event === undefined || event.type === EVENT_ID.POP;
  }

  #lineAt(offset: number): number {
    while (this.#lineEnd < offset) {
      this.#line += 1;
      this.#lineEnd = endOfLine(this.#text, this.#lineEnd + 1);
    }
    return this.#line;
  }
}

/** Offset of the newline at or after `from`; infinite on the last line. */
function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\n', from);
  return at === -1 ? Number.POSITIVE_INFINITY : at;
}

function startOf(event: Event | undefined): number {
  if (event === undefined) return 0;
  if (event.type === EVENT_ID.SCALAR) return Math.max(0, event.valueStart);
  return event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE ? event.start : 0;
}
