import js from '@eslint/js'
import { defineConfig, globalIgnores } from 'eslint/config'
import globals from 'globals'
import tseslint from 'typescript-eslint'

const effects = [
  { group: ['node:*'], message: 'plan/ is pure: effects belong in io/.' },
  { group: ['@aws-sdk/*', '@smithy/*'], message: 'plan/ is pure: the S3 client lives in io/store.' },
]
/** Forbids imports, by the layering main -> commands -> io -> plan -> errors, contract. */
const forbid = (...patterns) => ({ 'no-restricted-imports': ['error', { patterns }] })
const layer = (names, message) => ({ group: names.flatMap((name) => [`**/${name}`, `**/${name}/*`]), message })

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
  {
    files: ['agent/contract.ts'],
    rules: forbid({ group: ['*'], message: 'contract.ts is shared with infra/ and imports nothing.' }),
  },
  {
    files: ['agent/plan/**'],
    rules: {
      ...forbid(...effects, layer(['io', 'commands', 'cli', 'main'], 'plan/ imports only plan/, errors and contract.')),
      'no-restricted-globals': ['error', 'process', 'fetch', 'setTimeout', 'setInterval'],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'plan/ has no clock.' },
        { object: 'Math', property: 'random', message: 'plan/ has no randomness.' },
      ],
    },
  },
  {
    files: ['agent/io/**'],
    rules: forbid(layer(['commands', 'cli', 'main'], 'io/ imports only io/, plan/, errors and contract.')),
  },
  {
    files: ['agent/commands/**'],
    rules: forbid(
      { group: ['node:child_process', '@aws-sdk/*'], message: 'commands/ act through io/.' },
      layer(['cli', 'main'], 'cli imports commands, not the other way round.'),
    ),
  },
  {
    files: ['infra/**'],
    rules: forbid({
      group: ['**/agent/*', '**/agent/**/*', '!**/agent/contract', '!**/agent/contract.ts'],
      message: 'infra/ imports agent/contract and nothing else of the agent.',
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
)
