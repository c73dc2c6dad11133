import { s3Store, type Store } from '../../agent/io/store'
import { createBucket, testServers, type Server } from '../servers'
import { storeContract } from '../support/store-contract'

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined }

async function storeAt(server: Server): Promise<Store> {
  return s3Store({
    bucket: await createBucket(server, { versioned: true }),
    region: server.region,
    endpointUrl: server.endpoint,
    credentials: async () => server,
    log: silent,
  })
}

storeContract('SeaweedFS', () => storeAt(testServers().seaweedfs))
storeContract('radosgw', () => storeAt(testServers().radosgw), { ignoresChecksums: true })
