// The door `npm run setup`, and the first step of build, test, bench and demo: whatever a bare Debian or Ubuntu lacks.
// Asks dpkg's own files what is there, so that it costs nothing when all is; uses no package of npm.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const oldestNode = 20;

/** Needed package -> a file or command that shows it is there. Commands are looked for on the PATH and in sbin. */
const packages = {
  'libbpf-dev': '/usr/include/bpf/libbpf.h',
  'linux-libc-dev': '/usr/include/linux/bpf.h',
  'libc6-dev': '/usr/include/stdlib.h',
  'pkg-config': 'pkg-config',
  cmake: 'cmake',
  'ninja-build': 'ninja',
  'g++': 'g++',
  make: 'make',
  iproute2: 'ip',
  nftables: 'nft',
  iptables: 'iptables',
  'iputils-ping': 'ping',
  procps: 'sysctl',
  'util-linux': 'nsenter',
};

/** With --for-tests: what boots guests and makes traffic between them, shells to complete in, a reader of manuals. */
const testPackages = {
  'qemu-system-x86': 'qemu-system-x86_64',
  'busybox-static': 'busybox',
  kmod: 'depmod',
  'xz-utils': 'xz',
  zstd: 'zstd',
  iperf3: 'iperf3',
  vagrant: 'vagrant',
  'vagrant-libvirt': '/usr/share/doc/vagrant-libvirt',
  e2fsprogs: 'mkfs.ext4',
  'dpkg-dev': 'dpkg-shlibdeps',
  lintian: 'lintian',
  openssl: 'openssl',
  curl: 'curl',
  prometheus: 'promtool',
  nfdump: 'nfcapd',
  tshark: 'tshark',
  rsyslog: 'rsyslogd',
  jq: 'jq',
  systemd: '/lib/systemd/systemd-journald',
  'openssh-client': 'ssh',
  'openssh-server': 'sshd',
  runc: 'runc',
  skopeo: 'skopeo',
  'systemd-container': 'systemd-nspawn',
  umoci: 'umoci',
  'wireguard-tools': 'wg',
  zsh: 'zsh',
  fish: 'fish',
  mandoc: 'mandoc',
};

/** Debian 12 has it in a package that comes with QEMU, later ones in a package of its own. */
const virtiofsdPlaces = ['/usr/libexec/virtiofsd', '/usr/lib/qemu/virtiofsd'];

/** Best first; the first that the machine has, or else that its package lists offer, is taken. */
const clangs = ['clang-19', 'clang-18', 'clang-17', 'clang-16', 'clang-15', 'clang-14'];

/** With --for-tests: what the fuzzer links with, of the same version as the compiler. */
const isForTests = process.argv.includes('--for-tests');

const commandFolders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin'].filter(
  (folder) => folder !== '',
);

process.exitCode = main();

function main() {
  if (Number(process.versions.node.split('.')[0]) < oldestNode) {
    return fail(`Node ${process.versions.node} is too old: ${oldestNode} or newer is needed`);
  }
  return installPackages() || installModules();
}

/** Returns an exit code: 0 when all packages are there, whether found or installed. */
function installPackages() {
  const needsClang = !['clang', ...clangs].some(isThere);
  const wanted = isForTests ? { ...packages, ...testPackages } : packages;
  const missing = Object.keys(wanted).filter((name) => !isThere(wanted[name]));
  if (isForTests && !hasFuzzer()) missing.push(fuzzerPackage());
  if (isForTests && !virtiofsdPlaces.some(isThere)) missing.push('virtiofsd');
  if (missing.length === 0 && !needsClang) return 0;
  if (!isThere('apt-get')) {
    return fail(
      `missing: ${[...(needsClang ? ['clang'] : []), ...missing].join(', ')}; install what your system calls them`,
    );
  }
  if (process.getuid() !== 0) {
    const names = [...(needsClang ? [chooseClang()] : []), ...missing].join(' ');
    return fail(`missing packages; run: sudo apt-get update && sudo apt-get install --no-install-recommends ${names}`);
  }
  console.log('setup: apt-get update');
  if (!runs('apt-get', ['update', '-qq'])) return fail('apt-get update did not work');
  const offered = missing.filter((name) => name !== 'virtiofsd' || isOffered(name));
  const names = [...(needsClang ? [chooseClang()] : []), ...offered];
  console.log(`setup: apt-get install ${names.join(' ')}`);
  const options = ['install', '-y', '-qq', '--no-install-recommends'];
  return runs('apt-get', [...options, ...names]) ? 0 : fail('apt-get install did not work');
}

/** Debian 12 and 13 offer clang-19, Ubuntu 24.04 clang-18. */
function chooseClang() {
  return clangs.find(isOffered) ?? 'clang';
}

/** Whether the lists of apt have a package of that name. */
function isOffered(name) {
  const { stdout } = spawnSync('apt-cache', ['policy', name], { encoding: 'utf8' });
  return /^ {2}Candidate: (?!\(none\))/m.test(stdout ?? '');
}

function hasFuzzer() {
  return clangs.some((name) => isThere(name) && isThere(`/usr/share/doc/${fuzzerPackageOf(name)}`));
}

function fuzzerPackage() {
  return fuzzerPackageOf(clangs.find(isThere) ?? chooseClang());
}

function fuzzerPackageOf(clang) {
  return `lib${clang.replace('-', '-rt-')}-dev`;
}

/** `npm ci`, once for each content of the lockfile. Returns an exit code. */
function installModules() {
  const stamp = path.join(root, 'node_modules/.tortie-setup');
  const lock = createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return 0;
  console.log('setup: npm ci');
  if (!runs('npm', ['ci', '--no-audit', '--no-fund'])) return fail('npm ci did not work');
  writeFileSync(stamp, lock);
  return 0;
}

function isThere(fileOrCommand) {
  const candidates = fileOrCommand.startsWith('/')
    ? [fileOrCommand]
    : commandFolders.map((folder) => path.join(folder, fileOrCommand));
  return candidates.some((candidate) => {
    try {
      accessSync(candidate, constants.R_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function runs(command, parameters) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync(command, parameters, { cwd: root, env, stdio: 'inherit' }).status === 0;
}

function fail(message) {
  console.error(`setup: ${message}`);
  return 1;
}
