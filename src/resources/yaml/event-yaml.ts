// One YAML or JSON document by js-yaml's events: values and lines from one parse, several times as fast as the full
// parser. What it does not answer (anchors, merge keys, errors) full-yaml.ts decides.
import { constructFromEvents, EVENT_ID, type Event, getScalarValue, parseEvents } from 'js-yaml';
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
    return { value, line: lineOfOffset(text, startOf(events[1])) };
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
  try {
    const events = parseEvents(text, {});
    return events.slice(1).some((event) => needsFullParser(event, text)) ? undefined : events;
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

/** Walks the events once; offsets only grow, and so do lines. */
class LineReader {
  readonly #text: string;
  readonly #events: readonly Event[];
  #next = 1;
  #offset = 0;
  #line = 1;

  constructor(text: string, events: readonly Event[]) {
    this.#text = text;
    this.#events = events;
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
    for (
      let at = this.#text.indexOf('\n', this.#offset);
      at !== -1 && at < offset;
      at = this.#text.indexOf('\n', at + 1)
    ) {
      this.#line += 1;
      this.#offset = at + 1;
    }
    return this.#line;
  }
}

function startOf(event: Event | undefined): number {
  if (event === undefined) return 0;
  if (event.type === EVENT_ID.SCALAR) return Math.max(0, event.valueStart);
  return event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE ? event.start : 0;
}

function lineOfOffset(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
