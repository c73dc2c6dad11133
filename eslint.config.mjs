import { readFileSync } from 'node:fs'
import js from '@eslint/js'
import { defineConfig, globalIgnores } from 'eslint/config'
import globals from 'globals'
import tseslint from 'typescript-eslint'

/**
 * The agent's rooms, from the ground up: each imports only what stands before it. Below all of them are contract, errors,
 * context, ec2, outcome and pages; above all of them cli and main.
 */
const ROOMS = JSON.parse(readFileSync(new URL('./scripts/rooms.json', import.meta.url), 'utf8'))
/** Those of fleet/, likewise. They import what they like of the agent, which imports nothing of them. */
const FLEET_ROOMS = JSON.parse(readFileSync(new URL('./scripts/fleet-rooms.json', import.meta.url), 'utf8'))
const GROUND = ['contract', 'errors', 'context', 'ec2', 'outcome', 'pages'].map((name) => `agent/${name}.ts`)
/** The files of the room options that infra/ makes documents and schedules from: pure, and without the host. */
const OPTIONS_AS_DATA = ['table', 'commands', 'grammar', 'contradictions']
/** What a test calls by its checked name: test/support/commands.ts has each. */
const COMMAND_FUNCTIONS = [
  ...['backup', 'backUpHost', 'cleanup', 'cleanUpHost', 'preflight', 'find', 'list', 'listHosts', 'verify', 'drill'],
  ...['restore', 'restorePlan', 'restoreStatus'],
]
const forbid = (...patterns) => ({ 'no-restricted-imports': ['error', { patterns }] })
const above = (rooms, room) => [
  ...rooms.slice(rooms.indexOf(room) + 1).map((name) => `**/${name}/**`),
  ...['**/cli', '**/main'],
]
const roomRules = [
  { files: GROUND, group: [...above(ROOMS), '**/fleet/**'] },
  ...ROOMS.map((room) => ({ files: [`agent/${room}/**`], group: [...above(ROOMS, room), '**/fleet/**'] })),
  ...FLEET_ROOMS.map((room) => ({ files: [`fleet/${room}/**`], group: above(FLEET_ROOMS, room) })),
].map(({ files, group }) => ({
  files,
  rules: forbid({ group, message: 'A room imports only what stands before it in the list of rooms.' }),
}))
/** Whatever touches the world, or calls what does, is called `*.io.ts`. */
const purity = {
  files: ['agent/**/*.ts', 'fleet/**/*.ts'],
  ignores: ['agent/**/*.io.ts', 'fleet/**/*.io.ts', 'agent/cli.ts', 'agent/main.ts', 'fleet/cli.ts', 'fleet/main.ts'],
  rules: {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            group: ['node:*', '@aws-sdk/*', '@smithy/*', '**/*.io'],
            allowTypeImports: true,
            message: 'Effects belong in a file called *.io.ts.',
          },
        ],
      },
    ],
    'no-restricted-globals': ['error', 'process', 'fetch', 'performance', 'setTimeout', 'setInterval', 'setImmediate'],
    'no-restricted-properties': [
      'error',
      { object: 'Date', property: 'now', message: 'The clock is an effect.' },
      { object: 'Math', property: 'random', message: 'Randomness is an effect.' },
    ],
  },
}

export default defineConfig(
  globalIgnores(['dist/', 'cdk.out/', 'node_modules/', '.cache/', 'coverage/', 'release/']),
  {
    // Node runs these as they are, and no types are known of them.
    files: ['**/*.mjs', '**/*.cjs'],
    extends: [js.configs.recommended],
    languageOptions: { globals: globals.node },
  },
  {
    files: ['**/*.ts', '**/*.mts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A lease is held, not used.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreUsingDeclarations: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  ...roomRules,
  {
    files: ['agent/contract.ts'],
    rules: forbid({ group: ['*'], message: 'contract.ts is shared with infra/ and imports nothing.' }),
  },
  purity,
  {
    files: ['infra/**'],
    rules: forbid({
      group: [
        ...['**/agent/*', '**/agent/**/*', '!**/agent/contract', '!**/agent/contract.ts'],
        // The deployment says what is expected of a fleet, and makes alarms of what the auditor measures.
        ...['**/fleet/*', '**/fleet/**/*', '!**/fleet/model', '!**/fleet/model/config', '!**/fleet/model/auditor'],
        // What options there are, as data. How a host reads them is no business of a deployment.
        ...['!**/agent/options', ...OPTIONS_AS_DATA.map((name) => `!**/agent/options/${name}`)],
      ],
      message: `infra/ imports agent/contract, fleet/model/config, fleet/model/auditor and, of agent/options, ${OPTIONS_AS_DATA.join(', ')}.`,
    }),
  },
  {
    files: ['test/**', 'bench/**', 'demo/**', 'scripts/**'],
    rules: {
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  {
    files: ['test/**/*.ts'],
    ignores: ['test/support/commands.ts'],
    rules: forbid({
      group: ['**/agent/**/*.io'],
      importNames: COMMAND_FUNCTIONS,
      message: 'Those of test/support/commands have their output held against its schema.',
    }),
  },
)
