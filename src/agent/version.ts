// The version that the agent and the command line say they are, which only package.json knows, and that of the API.
import { readFileSync } from 'node:fs';
import { builtFile } from '../kernel/native.ts';

const manifest = JSON.parse(readFileSync(builtFile('package.json'), 'utf8')) as { version: string };

export const VERSION = manifest.version;
/** Another one would be another API: paths and shapes of this one stay. */
export const API_VERSION = 'v1';
