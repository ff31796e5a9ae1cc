// The version that the agent and the command line say they are; package.json is the only place that knows.
import { readFileSync } from 'node:fs';
import { builtFile } from '../kernel/native.ts';

const manifest = JSON.parse(readFileSync(builtFile('package.json'), 'utf8')) as { version: string };

export const VERSION = manifest.version;
