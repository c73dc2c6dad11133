import { join } from 'node:path'
import type { ReleaseInputs } from './archive'

/** What goes into a release besides agent and Node, as files of this machine. @param root - of the project */
export function packagingFiles(root: string): Pick<ReleaseInputs, 'packaging' | 'thirdPartyLicences'> {
  const own = ['README.md', 'install.sh', 'snapstream', 'snapstream-backup.service', 'snapstream-backup.timer']
  return {
    packaging: {
      LICENSE: join(root, 'LICENSE'),
      'installation.sh': join(root, 'ssm-documents', 'installation.sh'),
      ...Object.fromEntries(own.map((name) => [name, join(root, 'packaging', name)])),
    },
    thirdPartyLicences: join(root, 'dist', 'third-party-licences.txt'),
  }
}
