// A build of another layout for guests, made on the host: an agent of one is replaced by an agent of the other.
import path from 'node:path';
import { Layout } from '../../../src/abi/common.gen.ts';
import { makeVariant, otherLayout } from '../../lab/build-variant.ts';
import { makeBuilds } from '../../traffic/builds.ts';

const OUTPUT = path.join('build', 'vm-layout');

/** Absolute path of its command. Throws what makeBuilds and makeVariant do. */
export async function makeOtherLayout(): Promise<string> {
  const { current } = await makeBuilds(OUTPUT);
  const folder = await makeVariant(current, `${current}-layout`, otherLayout(Layout.VERSION + 1));
  return path.join(folder, 'dist/cli/main.js');
}
