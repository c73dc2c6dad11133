// Stops what the global set-up has started.
module.exports = async () => {
  await Promise.all(globalThis.snapstreamServers.map((server) => server.stop()))
}
