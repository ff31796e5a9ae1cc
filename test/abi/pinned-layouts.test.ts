// What is pinned under a version is what that version has always meant: agents of other builds take it over by the number alone.
// The listings in test/abi/layouts are what each version was.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Layout } from '../../src/abi/common.gen.ts';
import { builtFile } from '../../src/kernel/native.ts';
import { PINNED } from '../../src/kernel/object.ts';
import { BRIDGE_MAPS, FLOW_TOLD_MAP, LIVE_MAPS } from '../../src/kernel/pins.ts';
import { type BtfType, readBtf } from '../../tools/gen-abi/btf.ts';
import { describeLayout } from '../../tools/gen-abi/pinned-layout.ts';

const FOLDER = join(import.meta.dirname, 'layouts');
const COMMAND = 'TORTIE_WRITE_LAYOUTS=1 npx vitest run --project abi test/abi/pinned-layouts.test.ts';
const LIVE: ReadonlySet<string> = new Set(LIVE_MAPS);

/** Maps by the object that is asked about them: all objects that have one have it alike. */
type Parts = readonly (readonly [object: string, maps: readonly string[], records?: readonly string[]])[];

interface Group {
  readonly what: string;
  /** Of the listing. */
  readonly name: string;
  readonly remedy: string;
  readonly parts: Parts;
}

const GROUPS: readonly Group[] = [
  {
    what: 'tables',
    name: `v${Layout.VERSION}`,
    remedy: `raise TT_LAYOUT_VERSION in bpf/abi/common.h to ${Layout.VERSION + 1}`,
    parts: [
      ['workload', PINNED.filter((name) => !LIVE.has(name))],
      ['host', ['tt_host_ifaces']],
      ['abi', [], ['tt_event', 'tt_flow_event', 'tt_packet_event']],
    ],
  },
  {
    what: 'what outlives the tables',
    name: `live-v${Layout.LIVE_VERSION}`,
    remedy:
      `raise TT_LAYOUT_LIVE_VERSION in bpf/abi/common.h to ${Layout.LIVE_VERSION + 1}, ` +
      `and TT_LAYOUT_VERSION to ${Layout.VERSION + 1} unless that is new itself`,
    parts: [
      ['workload', [...LIVE_MAPS]],
      ['flow-logs', [FLOW_TOLD_MAP]],
    ],
  },
  {
    what: 'the bridge, which has no version',
    name: 'bridge',
    remedy: 'leave it as it was: agents of every version read it (bpf/abi/takeover.h)',
    parts: [['bridge', [...BRIDGE_MAPS]]],
  },
];

function typesOf(object: string): BtfType[] {
  return readBtf(readFileSync(builtFile(`build/bpf/${object}.bpf.o`)));
}

function listingOf(parts: Parts): string {
  const lines = parts.flatMap(([object, maps, records]) => describeLayout(typesOf(object), maps, records));
  return `${[...new Set(lines)].join('\n')}\n`;
}

describe('what is pinned under one version', () => {
  it.each(GROUPS)('has one layout: $what', ({ name, remedy, parts }) => {
    const file = join(FOLDER, `${name}.txt`);
    const listing = listingOf(parts);
    if (!existsSync(file) && process.env.TORTIE_WRITE_LAYOUTS !== undefined) writeFileSync(file, listing);
    expect(existsSync(file), `no ${file}: a version that is new is written down by\n  ${COMMAND}`).toBe(true);
    const known = readFileSync(file, 'utf8');
    expect(
      listing,
      `the layout is not that of ${name} any more, under which other builds have pinned it: ${remedy}; ` +
        `then npm run build, and ${COMMAND}`,
    ).toBe(known);
  });

  it('is of maps that the objects have', () => {
    for (const { parts } of GROUPS) {
      for (const [object, maps] of parts) {
        const listing = describeLayout(typesOf(object), maps).join('\n');
        for (const map of maps) expect(listing).toContain(`map ${map}: type `);
      }
    }
  });

  it('is another one with a field more, however deep, with other flags, and in another map', () => {
    const types = typesOf('workload');
    const maps = [...LIVE_MAPS];
    const before = describeLayout(types, maps);
    const grown = types.map((type) =>
      type.kind === 'struct' && type.name === 'tt_flow_key'
        ? { ...type, members: [...type.members, { name: 'more', type: 1, bitOffset: 320, bitSize: 0 }] }
        : type,
    );
    const changed = describeLayout(grown, maps).filter((line) => !before.includes(line));
    expect(changed).toEqual([expect.stringContaining('struct tt_flow_key, 40 bytes')]);
    const widened = types.map((type) =>
      type.kind === 'array' && type.length === 1024 ? { ...type, length: 9 } : type,
    );
    expect(describeLayout(widened, maps)).not.toEqual(before);
    expect(describeLayout(types, maps.slice(1))).not.toEqual(before);
  });
});
