// What the API says of a PacketCapture, as Calico does: which files there are of it on this node, and whether more comes. It is made
// when somebody asks, of what is there by then: nothing of it is stored, so that a capture makes no history.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ResourceOf } from '../../resources/resource.ts';

/** Calico's words. */
export type CaptureState = 'Scheduled' | 'WaitingForTraffic' | 'Capturing' | 'Finished' | 'Error';

export interface CaptureStatus {
  readonly files: readonly {
    readonly node: string;
    /** Where the files are. */
    readonly directory: string;
    readonly fileNames: readonly string[];
    readonly state: CaptureState;
  }[];
}

const EXTENSION = '.pcapng';

/** A directory for each. */
export function captureDirectory(stateDirectory: string, namespace: string | undefined, name: string): string {
  return join(stateDirectory, 'captures', namespace ?? '', name);
}

/** Names of the files, the oldest first; none where there is no directory. */
export function captureFiles(directory: string): string[] {
  let names: string[];
  try {
    names = readdirSync(directory).filter((name) => name.endsWith(EXTENSION));
  } catch {
    return [];
  }
  const times = new Map(names.map((name) => [name, timeOf(join(directory, name))]));
  return names.sort((a, b) => (times.get(a) as number) - (times.get(b) as number) || (a < b ? -1 : 1));
}

/** Of one that is not carried out now. */
export function restingState(
  { startTime, endTime }: ResourceOf<'PacketCapture'>['spec'],
  hasFailed: boolean,
  now: number,
): CaptureState {
  if (endTime !== undefined && Date.parse(endTime) <= now) return 'Finished';
  if (startTime !== undefined && now < Date.parse(startTime)) return 'Scheduled';
  return hasFailed ? 'Error' : 'Scheduled';
}

/** 0 for one that has gone meanwhile. */
function timeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
