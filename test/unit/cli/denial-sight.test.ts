import { describe, expect, it } from 'vitest';
import { blindnessOf, delayOf, lossesSince, type SightStatus } from '../../../src/cli/denial-sight.ts';
import { NO_LOSS } from '../../../src/observe/flows/flow-hub.ts';

type FlowLogs = NonNullable<SightStatus['flowLogs']>;
type FlowStore = NonNullable<SightStatus['flowStore']>;
type Some = { readonly flowLogs?: Partial<FlowLogs>; readonly flowStore?: Partial<FlowStore> };

const LOGS: FlowLogs = {
  isOn: true,
  isWanted: true,
  intervalSeconds: 5,
  records: 10,
  packets: 10,
  lost: { ...NO_LOSS, eventsLost: 7, recordsSampledOut: 7, deniedSampledOut: 2 },
  isSampling: false,
};
const STORE: FlowStore = {
  mode: 'aggregated',
  handedOver: 10,
  lost: 7,
  notWritten: 0,
  overflowed: 7,
  waiting: 0,
  store: null,
  error: null,
};
const files = {
  files: 1,
  bytes: 1,
  records: 1,
  oldest: 1,
  newest: 1,
  lastSequence: 1,
  lost: 0,
  expired: 0,
  givenUp: 0,
};

const statusWith = ({ flowLogs, flowStore }: Some = {}): SightStatus => ({
  flowLogs: { ...LOGS, ...flowLogs },
  flowStore: { ...STORE, ...flowStore },
});

describe('what would keep a watch from seeing denials', () => {
  it.each<[string, SightStatus, RegExp | undefined]>([
    ['all is well', statusWith(), undefined],
    ['the agent is of the version before', {}, /says nothing/],
    ['flow logs are off', statusWith({ flowLogs: { isOn: false, isWanted: false } }), /flowLogs is off/],
    ['they could not be had', statusWith({ flowLogs: { isOn: false } }), /cannot be had/],
    ['nothing is kept', statusWith({ flowStore: { mode: 'off' } }), /flowStore is off/],
    ['the store takes nothing for now', statusWith({ flowStore: { error: 'no room' } }), undefined],
  ])('where %s', (_, status, blindness) => {
    if (blindness === undefined) expect(blindnessOf(status)).toBeUndefined();
    else expect(blindnessOf(status)).toMatch(blindness);
  });

  const lost = (more: Partial<FlowLogs['lost']>): Some => ({ flowLogs: { lost: { ...LOGS.lost, ...more } } });

  it.each<[string, Some, Some, string[]]>([
    ['nothing is lost', {}, { flowLogs: { records: 20 }, flowStore: { handedOver: 20, waiting: 3 } }, []],
    // What was let through is counted in no record: that is no denial.
    ['counts of flows are lost', {}, lost({ packetsLost: 50, bytesLost: 5000 }), []],
    ['events are lost', {}, lost({ eventsLost: 9 }), ['2 events that the ring buffer had no room for']],
    [
      'packets are not told',
      {},
      lost({ eventsSuppressed: 4 }),
      ['4 denied, dropped or logged packets above the event budget'],
    ],
    // Reports from the flow table are of flows that were let through.
    ['flows are sampled', {}, lost({ recordsSampledOut: 8 }), []],
    ['denials are sampled', {}, lost({ deniedSampledOut: 3 }), ['1 records of denied packets left out by sampling']],
    ['records do not arrive', {}, { flowStore: { lost: 9 } }, ['2 flow logs that the store does not have']],
    ['the agent is another one', {}, { flowLogs: { records: 2 } }, ['the agent began anew']],
    ['flow logs end', {}, { flowLogs: { isOn: false, isWanted: false } }, ['flowLogs is off']],
    [
      'a file breaks',
      { flowStore: { store: { ...files, movedAside: 0 } } },
      { flowStore: { store: { ...files, movedAside: 1 } } },
      ['1 files of the store moved aside'],
    ],
    ['a file was broken before', {}, { flowStore: { store: { ...files, movedAside: 1 } } }, []],
  ])('while %s', (_, before, after, found) => {
    expect(lossesSince(statusWith(before), statusWith(before), statusWith(after))).toEqual(found);
  });

  it('while the agent ends, and another one has counted further than the first had at the beginning', () => {
    const [few, many, more] = [1, 20, 10].map((records) => statusWith({ flowLogs: { records } })) as [
      SightStatus,
      SightStatus,
      SightStatus,
    ];
    expect(lossesSince(few, many, more)).toEqual(['the agent began anew']);
    expect(lossesSince(few, more, many)).toEqual([]);
  });

  it('as long as it lasts: a store that takes nothing', () => {
    expect(delayOf(statusWith())).toBeUndefined();
    expect(delayOf(statusWith({ flowStore: { error: 'no room' } }))).toBe('flow logs are not stored: no room');
  });
});
