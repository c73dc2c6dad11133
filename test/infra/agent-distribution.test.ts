import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { documentOf, resolve, resourcesOf, stubFiles, synthesize, type Json } from './synthesize'

const usual = synthesize()

test('Install knows what is shipped, under the hash of its content', () => {
  const { version, bundleSha256, runtimeX64Sha256, nodeRuntime } = documentOf(usual, 'Install').parameters
  expect(bundleSha256?.default).toMatch(/^[0-9a-f]{64}$/)
  expect(version?.default).toBe(`1.2.3-${bundleSha256!.default!.slice(0, 12)}`)
  expect(runtimeX64Sha256?.default).not.toBe(bundleSha256?.default)
  expect(nodeRuntime?.default).toBe('bundled')
})

test('Install leaves Node alone where hosts bring their own', () => {
  const { version, bundle } = stubFiles()
  const { nodeRuntime, runtimeX64Sha256 } = documentOf(synthesize({}, { version, bundle }), 'Install').parameters
  expect([nodeRuntime?.default, runtimeX64Sha256?.default]).toEqual(['system', 'none'])
})

test('another build of one version is another installation, and what is the same keeps its place', () => {
  const directory = mkdtempSync(join(tmpdir(), 'snapstream-build-'))
  const bundle = join(directory, 'agent.cjs')
  writeFileSync(bundle, 'another build')
  const parametersOf = (template: typeof usual) => documentOf(template, 'Install').parameters
  const [before, after] = [parametersOf(usual), parametersOf(synthesize({}, { ...stubFiles(), bundle }))]
  rmSync(directory, { recursive: true })
  expect(after.version?.default).toMatch(/^1\.2\.3-[0-9a-f]{12}$/)
  expect(after.version?.default).not.toBe(before.version?.default)
  expect(after.runtimeX64Sha256?.default).toBe(before.runtimeX64Sha256?.default)
})

test('versions that are in the bucket stay there, whatever comes after them, or becomes of the stack', () => {
  usual.hasResourceProperties('Custom::CDKBucketDeployment', {
    DestinationBucketKeyPrefix: 'agent',
    Prune: false,
    RetainOnDelete: true,
  })
})

test('the function that brings the agent cannot reach the backups', () => {
  const statements = Object.values(resourcesOf(usual, 'AWS::IAM::Policy')).flatMap(
    ({ Properties }) => (resolve(Properties.PolicyDocument!) as { Statement: Record<string, Json>[] }).Statement,
  )
  expect(statements).toContainEqual(
    expect.objectContaining({
      ...{ Sid: 'NoBackups', Effect: 'Deny', Action: 's3:*' },
      Resource: ['catalogs', 'data', 'drills', 'fleet', 'manifests', 'reports', 'verdicts', 'verifications'].map(
        (prefix) => expect.stringMatching(`/${prefix}/\\*$`) as string,
      ),
    }),
  )
})

test('a stack that uses the vault of another account brings nothing', () => {
  const vault = { bucketName: 'the-central-vault', region: 'eu-central-1' }
  synthesize({ vault }).resourceCountIs('Custom::CDKBucketDeployment', 0)
})
