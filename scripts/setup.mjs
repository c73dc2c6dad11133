// Installs what the tests and the demo need beyond npm's packages, says what and why, and does nothing where all is
// there already. This is the only place that installs anything on the machine; no daemon is started by it.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const DEBIAN_PACKAGES = {
  'user-mode-linux': 'Linux kernel as a program: boots the guest with real LVM, without virtualisation',
  'libslirp-helper': "the guest's network, without privileges",
  lvm2: 'the volume manager that is under test, in the guest',
  'thin-provisioning-tools': 'lvm2 needs it to check thin pools',
  xfsprogs: 'makes the xfs filesystems of the guest',
  e2fsprogs: 'makes the ext4 filesystems of the guest',
  fdisk: "sfdisk parts the root disk of a guest as an EC2 host's is ...",
  dosfstools: '... and makes the filesystem of its EFI partition',
  acl: 'sets and reads the ACLs of the test trees',
  attr: 'sets and reads the extended attributes of the test trees',
  'libcap2-bin': 'sets and reads the file capabilities of the test trees',
  kmod: "loads the guest's device-mapper modules",
  systemd: 'process 1 of guests in which the agent is killed with its unit; not started on this machine ...',
  dbus: '... and what systemd-run talks to it through',
  iproute2: "configures the guest's network",
  'util-linux': 'mount, findmnt, flock and lsblk of the guest',
  tar: 'the archiver that the agent drives',
  zstd: 'reads archives back by hand, without the agent',
  procps: 'pgrep, which tells the tests what is still running',
  'perl-base': 'starts the guest with its file descriptors in place',
  'libarchive-tools': 'bsdtar, a second reader that archives must satisfy',
  radosgw: 'the real S3 server (Ceph) that backups go to',
  'ceph-mon': 'radosgw keeps its objects in a Ceph cluster of one monitor ...',
  'ceph-osd': '... and one storage daemon',
  'ceph-common': 'ceph, monmaptool and radosgw-admin set that cluster up',
  'tinyproxy-bin': 'the real proxy that requests to S3 go through in the tests; without its daemon',
  curl: 'reads objects back by hand, without the agent',
  openssl: 'makes the certificate of a TLS server in the tests',
  shellcheck: 'checks the scripts in the SSM documents',
  chromium: 'opens the page of the fleet as people do',
  'python3-venv': 'the virtual environment of the Python programs',
}

/** For `npm run test:boot` alone: `setup --boot`. */
const BOOT_PACKAGES = {
  mmdebstrap: 'makes a small Debian, for a host that is lost, rebuilt and booted',
  'qemu-system-x86': 'the PC that boots it, emulated',
  ovmf: "that PC's UEFI",
}

/** For `npm run bench -- differential` alone: `setup --peers`. */
const PEER_PACKAGES = {
  restic: 'backs up the same files for comparison ...',
  borgbackup: '... and so does this',
}

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)))
const REQUIREMENTS = join(PROJECT, 'scripts', 'requirements.txt')
const VENV = join(PROJECT, '.cache', 'venv')
/** Holds the requirements that the environment was made from; written last, so a half-made one has none. */
const VENV_STAMP = join(VENV, 'installed-requirements.txt')
/** Debian's maintainer scripts ask this program whether they may start a daemon: 101 means no. */
const POLICY = '/usr/sbin/policy-rc.d'
const SAVED_POLICY = `${POLICY}.before-snapstream-setup`

const packages = {
  ...DEBIAN_PACKAGES,
  ...(process.argv.includes('--boot') && BOOT_PACKAGES),
  ...(process.argv.includes('--peers') && PEER_PACKAGES),
}

installDebianPackages(missingPackages())
installPythonPrograms()

function missingPackages() {
  const names = Object.keys(packages)
  const query = spawnSync('dpkg-query', ['--show', '--showformat', '${Package} ${db:Status-Status}\\n', ...names], {
    encoding: 'utf8',
  })
  const installed = new Set((query.stdout ?? '').split('\n').filter((line) => line.endsWith(' installed')))
  return names.filter((name) => !installed.has(`${name} installed`))
}

function installDebianPackages(names) {
  if (names.length === 0) return
  const refusal = !existsSync('/usr/bin/apt-get')
    ? 'this is not a Debian-family system'
    : process.getuid() !== 0
      ? 'only root can install packages'
      : undefined
  if (refusal) {
    fail(
      `${refusal}, and these packages are missing: ${names.join(' ')}`,
      'Install them by hand (these are Debian’s names), as root: apt-get install --no-install-recommends, then the list above. Then run this again.',
    )
  }
  console.log('Installing Debian packages:')
  for (const name of names) console.log(`  ${name.padEnd(24)}${packages[name]}`)
  withoutDaemons(() => {
    apt('update')
    apt('install', '--yes', '--no-install-recommends', ...names)
  })
}

function apt(...args) {
  run('apt-get', ['--quiet', '--quiet', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Use-Pty=0', ...args], {
    DEBIAN_FRONTEND: 'noninteractive',
  })
}

/** Forbids package installations to start daemons meanwhile, and puts back the policy that was there. */
function withoutDaemons(work) {
  // A saved policy that is still there is the original: an earlier setup was killed before it put it back.
  if (existsSync(POLICY) && !existsSync(SAVED_POLICY)) renameSync(POLICY, SAVED_POLICY)
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n')
  chmodSync(POLICY, 0o755)
  try {
    work()
  } finally {
    if (existsSync(SAVED_POLICY)) renameSync(SAVED_POLICY, POLICY)
    else rmSync(POLICY)
  }
}

function installPythonPrograms() {
  const wanted = readFileSync(REQUIREMENTS, 'utf8')
  if (existsSync(VENV_STAMP) && readFileSync(VENV_STAMP, 'utf8') === wanted) return
  console.log(`Installing Python programs into ${VENV}:`)
  for (const line of wanted.split('\n').filter((line) => /^[a-z]/.test(line))) console.log(`  ${line}`)
  const python = join(VENV, 'bin', 'python')
  const isUsable = spawnSync(python, ['-m', 'pip', '--version']).status === 0
  if (!isUsable) run(findPython(), ['-m', 'venv', '--clear', VENV])
  run(python, ['-m', 'pip', 'install', '--quiet', '--requirement', REQUIREMENTS])
  writeFileSync(VENV_STAMP, wanted)
}

/** A Python that can make virtual environments: the first in PATH may lack the module, Debian's then has it. */
function findPython() {
  const python = ['python3', '/usr/bin/python3'].find(
    (candidate) => spawnSync(candidate, ['-c', 'import venv, ensurepip']).status === 0,
  )
  if (python) return python
  return fail('no Python 3 with the modules venv and ensurepip was found', 'Install the package python3-venv.')
}

/** Runs a program quietly; what it printed is shown only where it failed. */
function run(program, args, environment = {}) {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: Infinity,
    env: { ...process.env, ...environment },
  })
  if (status === 0) return
  const fate = error ? `could not be started: ${error.message}` : `exited with status ${status}`
  console.error(`${stdout ?? ''}${stderr ?? ''}`.split('\n').slice(-40).join('\n'))
  throw new Error(`${[program, ...args].join(' ')} ${fate}`)
}

function fail(message, hint) {
  console.error(`setup: ${message}`)
  console.error(`HINT: ${hint}`)
  process.exit(1)
}
