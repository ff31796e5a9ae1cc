// A directory of manifests that is edited while an agent watches it. Every edit is one rename: the agent sees all of it or nothing.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

export class ManifestFolder {
  readonly path: string;

  /** Makes the folder. Throws the error of node:fs. */
  constructor(path: string) {
    this.path = path;
    mkdirSync(path, { recursive: true });
  }

  /** Copies every manifest of another folder. */
  copyFrom(folder: string): void {
    for (const name of readdirSync(folder)) copyFileSync(join(folder, name), join(this.path, name));
  }

  /** Replaces a file by the objects, one document each. */
  write(name: string, objects: readonly object[]): void {
    this.writeText(name, objects.map((one) => `---\n${stringify(one)}`).join(''));
  }

  /** Replaces a file by text that need not be a manifest. */
  writeText(name: string, text: string): void {
    // A hidden name: the agent does not read it before it is whole.
    const temporary = join(this.path, `.${name}.new`);
    writeFileSync(temporary, text);
    renameSync(temporary, join(this.path, name));
  }

  read(name: string): string {
    return readFileSync(join(this.path, name), 'utf8');
  }

  remove(name: string): void {
    rmSync(join(this.path, name), { force: true });
  }
}
