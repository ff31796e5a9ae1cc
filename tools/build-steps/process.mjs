// Paths of the tree, running a tool, and finding files: what every build step needs. No knowledge of any one step.
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const buildDir = path.join(root, 'build');

/** A tool said no; the message is what to show, without a stack. */
export class BuildFailure extends Error {}

/** Runs one tool in the root directory; its output is shown only if it fails. Returns stdout. Throws BuildFailure. */
export function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', (cause) =>
      reject(new BuildFailure(`${command}: ${cause.message} (run: npm run setup)`, { cause })),
    );
    child.on('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else
        reject(
          new BuildFailure(
            `${command} ${args.join(' ')}\n${output.trimEnd()}\n${command}: ${signal ?? `exit code ${code}`}`,
          ),
        );
    });
  });
}

/** Tools of node_modules run by this very node: the .bin links need /usr/bin/env to find one. */
export function runNode(script, args) {
  if (!existsSync(path.join(root, script))) {
    throw new BuildFailure(`build: ${script} is missing (run: npm ci)`);
  }
  return run(process.execPath, [script, ...args]);
}

/** Files below a folder, relative to the root, sorted; none if the folder is absent. */
export function filesBelow(folder, accept) {
  const absolute = path.join(root, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .filter(accept)
    .sort();
}

/** The first of the names that is an executable on the PATH, or undefined. */
export function findExecutable(names) {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
  return names.find((name) => folders.some((folder) => isExecutable(path.join(folder, name))));
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
