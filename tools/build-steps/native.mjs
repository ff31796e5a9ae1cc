// Step native: native/src -> build/Release/tortie.node, through CMakeLists.txt, which reads its sources from binding.gyp.
import { filesBelow, runNode } from './process.mjs';
import { isFresh, writeStamp } from './stamp.mjs';

const addon = 'build/Release/tortie.node';

/** Builds the addon if its sources changed. cmake-js needs no download: see `binary.napi_versions` in package.json. */
export async function buildNative() {
  if (isFresh('native', inputs(), process.version)) return undefined;
  await runNode('node_modules/cmake-js/bin/cmake-js', ['build', '--parallel', '2']);
  writeStamp('native', inputs(), process.version);
  return `built ${addon}`;
}

function inputs() {
  return [
    ...filesBelow('native/src', () => true),
    ...filesBelow('bpf/abi', () => true),
    'bpf/lib/told.h',
    'CMakeLists.txt',
    'binding.gyp',
    'package-lock.json',
    addon,
  ];
}
