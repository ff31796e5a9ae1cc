#!/usr/bin/env node
// The `tortie` executable: one command line, one exit code.
import { run } from './program.ts';

process.exitCode = await run(process.argv);
