// Starts the S3 servers once for all system tests. They end with this process, even where it is killed.
const bundleCatalogWorker = require('../support/bundle-catalog-worker.cjs')
const { SERVERS_VARIABLE, startRadosgw, startSeaweedfs } = require('./index.ts')

module.exports = async () => {
  bundleCatalogWorker()
  const started = await Promise.allSettled([startRadosgw(), startSeaweedfs()])
  globalThis.snapstreamServers = started.flatMap(({ value }) => value ?? [])
  for (const { reason } of started) {
    if (!reason) continue
    await require('./global-teardown.cjs')() // jest does not tear down what was not set up
    throw reason
  }
  const [radosgw, seaweedfs] = globalThis.snapstreamServers
  process.env[SERVERS_VARIABLE] = JSON.stringify({ radosgw, seaweedfs })
}
