// The doors `npm run package:deb` and `npm run package:oci`: what was built becomes something to install.
import { join } from 'node:path';
import { DataplaneError } from '../../src/base/errors.ts';
import { findProject } from '../lab/project.ts';
import { buildDebianPackage } from './debian.ts';
import { buildImage } from './image.ts';

const USAGE = 'usage: npm run package:deb|package:oci [-- FOLDER]   (default: build/package)\n';

process.exitCode = await main(process.argv.slice(2));

async function main([kind = '', folder]: readonly string[]): Promise<number> {
  const project = findProject();
  const target = folder ?? join(project, 'build/package');
  const build = { deb: buildDebianPackage, oci: buildImage }[kind];
  if (build === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  try {
    process.stdout.write(`${await build(project, target)}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`package: ${error instanceof DataplaneError ? error.message : String(error)}\n`);
    return 1;
  }
}
