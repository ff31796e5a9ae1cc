// The copyright file of what is packed: Tortie's own terms, and those of each module in its authors' words.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Module } from './modules.ts';

const APACHE = 'Its terms are the Apache License, Version 2.0: /usr/share/common-licenses/Apache-2.0.';

export function copyrightText(project: string, modules: readonly Module[]): string {
  const own = readFileSync(join(project, 'packaging/debian/copyright'), 'utf8').trim();
  const others = modules.map(({ name, version, license, folder, licenseText }) => {
    const head = `${name} ${version}, in /usr/lib/tortie/${folder}: ${license}`;
    const isApache = license === 'Apache-2.0';
    const terms = isApache
      ? APACHE
      : licenseText === ''
        ? `Its terms are ${license}; it comes without their text.`
        : licenseText;
    return `${head}\n${'-'.repeat(head.length)}\n\n${terms}`;
  });
  return `${[own, ...others].join('\n\n')}\n`;
}
