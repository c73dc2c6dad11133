/**
 * Two projects. `unit` needs no server and no guest, but what a host has: many of its tests run GNU tar on trees with devices,
 * owners and attributes, so it needs root and the programs that `npm run setup` installs, and says at its start what it lacks.
 * `system` has real S3 servers (started once, before its first test) and guests with real LVM, and is everything named
 * *.system.test.ts.
 * @type {import('jest').Config}
 */
const shared = {
  testEnvironment: 'node',
  setupFilesAfterEnv: ['<rootDir>/test/support/patience.cjs'],
  transform: { '\\.ts$': '<rootDir>/test/support/esbuild-transform.cjs' },
  collectCoverageFrom: ['<rootDir>/{agent,fleet,infra,scripts}/**/*.ts'],
  modulePathIgnorePatterns: ['<rootDir>/cdk.out', '<rootDir>/dist', '<rootDir>/.cache'],
}
module.exports = {
  maxWorkers: 2,
  // The CDK leaves hundreds of MiB behind with each test file that loads it. So do the tests of large catalogs. On a busy machine
  // a worker may take longer to give that back than the half second that Jest grants it at the end ("failed to exit
  // gracefully"): that is not a leak, no handle of it is open then.
  workerIdleMemoryLimit: '768MiB',
  reporters: ['default', '<rootDir>/test/support/totals-reporter.cjs'],
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['\\.system\\.test\\.ts$'],
      globalSetup: '<rootDir>/test/support/unit-setup.cjs',
    },
    {
      ...shared,
      displayName: 'system',
      testMatch: ['<rootDir>/test/**/*.system.test.ts'],
      globalSetup: '<rootDir>/test/servers/global-setup.cjs',
      globalTeardown: '<rootDir>/test/servers/global-teardown.cjs',
    },
  ],
}
