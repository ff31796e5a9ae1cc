// JSON records of any known format -> recorded flows. The format is told by the fields unless it is given.
import { DataplaneError } from '../../base/errors.ts';
import { isCalicoRecord, parseCalicoRecord } from './calico.ts';
import { isHubbleRecord, parseHubbleRecord } from './hubble.ts';
import type { Fields, RecordedFlow, Skipped } from './recorded-flow.ts';
import { isTortieRecord, parseTortieRecord } from './tortie.ts';

export type RecordFormat = 'tortie' | 'calico' | 'hubble';

interface Parser {
  readonly accepts: (record: Fields) => boolean;
  readonly parse: (record: Fields) => RecordedFlow | Skipped;
}

const PARSERS: Readonly<Record<RecordFormat, Parser>> = {
  tortie: { accepts: isTortieRecord, parse: parseTortieRecord },
  calico: { accepts: isCalicoRecord, parse: parseCalicoRecord },
  hubble: { accepts: isHubbleRecord, parse: parseHubbleRecord },
};

/** undefined format = told by the fields. Throws INVALID_FLOW. */
export function parseRecord(record: Fields, format: RecordFormat | undefined): RecordedFlow | Skipped {
  const candidates = format === undefined ? Object.values(PARSERS) : [PARSERS[format]];
  const parser = candidates.find(({ accepts }) => accepts(record));
  if (parser !== undefined) return parser.parse(record);
  throw new DataplaneError('INVALID_FLOW', 'is of no known format', {
    operation: 'read',
    target: 'flow',
    found: `fields ${Object.keys(record).slice(0, 6).join(', ') || 'none'}`,
    expected: format === undefined ? 'a record of tortie monitor, Calico or Hubble' : `a record of ${format}`,
  });
}
