// The ELF kernel inside a bzImage: QEMU boots it directly, which saves the guest seconds of decompression. Pure but for
// the decompressors, which are programs of the machine.
import { gunzipSync } from 'node:zlib';
import { VmFailure } from './failure.ts';
import { runTool } from './run-tool.ts';

/** Offsets in the setup header, boot protocol 2.08 and newer (Documentation/arch/x86/boot.rst). */
const HEADER = { SETUP_SECTORS: 0x1f1, MAGIC: 0x202, VERSION: 0x206, PAYLOAD: 0x248, LENGTH: 0x24c } as const;
const MAGIC = 'HdrS';
const SECTOR = 512;

const PACKERS: readonly { readonly magic: readonly number[]; readonly unpack: (data: Buffer) => Promise<Buffer> }[] = [
  { magic: [0xfd, 0x37, 0x7a, 0x58], unpack: (data) => runTool('xz', ['-dc'], { input: withoutSize(data) }) },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: (data) => runTool('zstd', ['-dc'], { input: withoutSize(data) }) },
  { magic: [0x1f, 0x8b], unpack: async (data) => gunzipSync(data) },
  { magic: [0x7f, 0x45, 0x4c, 0x46], unpack: async (data) => data },
];

/** Throws VmFailure for a file that is no bzImage or is packed in a way that is not known here. */
export async function extractKernel(image: Buffer): Promise<Buffer> {
  const payload = findPayload(image);
  const packer = PACKERS.find(({ magic }) => magic.every((byte, index) => payload[index] === byte));
  if (packer === undefined)
    throw new VmFailure(`kernel image: packed with ${payload.toString('hex', 0, 4)}, not known`);
  return packer.unpack(payload);
}

/** The packed kernel of a bzImage. */
export function findPayload(image: Buffer): Buffer {
  const isBzImage =
    image.length > HEADER.LENGTH + 4 && image.toString('latin1', HEADER.MAGIC, HEADER.MAGIC + 4) === MAGIC;
  if (!isBzImage || image.readUInt16LE(HEADER.VERSION) < 0x208) throw new VmFailure('kernel image: not a bzImage');
  const setupSectors = image[HEADER.SETUP_SECTORS] || 4;
  const start = (setupSectors + 1) * SECTOR + image.readUInt32LE(HEADER.PAYLOAD);
  return image.subarray(start, start + image.readUInt32LE(HEADER.LENGTH));
}

/** The build appends the unpacked size where the packer keeps none itself (size_append in scripts/Makefile.lib). */
function withoutSize(payload: Buffer): Buffer {
  return payload.subarray(0, -4);
}
