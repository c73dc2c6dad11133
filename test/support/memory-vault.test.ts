import { toStorageRules } from '../../fleet/model/storage-rules'
import { memoryVault } from './memory-vault'
import { vaultContract } from './vault-contract'

vaultContract('memory', async () => {
  const vault = memoryVault()
  return {
    vault,
    async putRules(rules) {
      vault.rules = toStorageRules(rules)
    },
    deleteObject: (key) => vault.store.deleteObject(key),
    isSuperseded: async (key) => vault.superseded.has(key),
  }
})
