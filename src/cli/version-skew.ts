// Whether this command line and an agent understand each other: the same API, and products of the same minor version or
// of the next one, either way. Pure but for the process's own version.
import { API_VERSION } from '../agent/version.ts';
import { DataplaneError } from '../base/errors.ts';

/** What /version answers. */
export interface AgentVersion {
  readonly version: string;
  readonly api: string;
}

/** The minor versions that may lie between the two. */
const TOLERATED = 1;

/** undefined = all is well, text = a warning. Throws VERSION_SKEW. */
export function checkSkew(own: string, agent: AgentVersion): string | undefined {
  const distance = minorDistance(own, agent.version);
  if (agent.api !== API_VERSION || distance === undefined || distance > TOLERATED) {
    throw new DataplaneError('VERSION_SKEW', 'the agent is of another version than this command', {
      operation: 'speak to',
      target: 'agent',
      found: `agent ${agent.version} (API ${agent.api})`,
      expected: `${own} (API ${API_VERSION}), or one minor version away`,
      hint: 'use the command that was installed with the agent',
    });
  }
  if (distance === 0) return undefined;
  return `the agent is of version ${agent.version}, this command of ${own}: what only one of them knows is refused`;
}

/** undefined = they differ in more than that, or one is no version. */
function minorDistance(a: string, b: string): number | undefined {
  const [one, other] = [a, b].map((text) => /^(\d+)\.(\d+)\.\d+(?:[-+].*)?$/.exec(text));
  if (!one || !other || one[1] !== other[1]) return undefined;
  return Math.abs(Number(one[2]) - Number(other[2]));
}
