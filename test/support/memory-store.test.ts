import { memoryStore } from './memory-store'
import { storeContract } from './store-contract'

storeContract('memory', async () => memoryStore())
