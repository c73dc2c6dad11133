import { memoryStore } from './memory-store'
import { storeContract } from './store-contract'

storeContract('memory', async () => memoryStore())
storeContract('memory without checksums', async () => memoryStore({ keepsChecksums: false }), {
  ignoresChecksums: true,
})
