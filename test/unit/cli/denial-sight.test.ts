import { describe, expect, it } from 'vitest';
import { blindnessOf, lossesBetween, type SightStatus } from '../../../src/cli/denial-sight.ts';
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
  lost: { ...NO_LOSS, eventsLost: 7, recordsSampledOut: 7 },
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
    ['the store takes nothing', statusWith({ flowStore: { error: 'no room' } }), /not stored: no room/],
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
    ['packets are not told', {}, lost({ eventsSuppressed: 4 }), ['4 denied or dropped packets above the event budget']],
    ['flows are sampled', {}, lost({ recordsSampledOut: 8 }), ['1 reports of flows left out by sampling']],
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
    expect(lossesBetween(statusWith(before), statusWith(after))).toEqual(found);
  });
});
