/** What a manifest keeps of an EC2 instance, so that one like it can be launched. */
import { z } from 'zod'
import { listOf, sha256 } from '../lib/untrusted'

/** Ids and names go into a launch template, and from there to EC2: what those are not made of is not passed on. */
const id = (prefix: string) => z.string().regex(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`))
/** Of anything in AWS that an account has. */
export const arn = z.string().regex(/^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{12}:[\w+=,.@/-]{1,512}$/)

export const instanceSchema = z.object({
  instanceType: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,63}$/)
    .describe('Such as `m7g.large`.'),
  imageId: id('ami').describe('The image that it was launched from.'),
  availabilityZone: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/)
    .describe('Where it ran.'),
  subnetId: id('subnet').optional().describe('Of its first network interface.'),
  securityGroupIds: listOf(id('sg')).describe('Of its first network interface.'),
  instanceProfileArn: arn.optional().describe('What gave it its role.'),
  keyName: z
    .string()
    .regex(/^[\x20-\x7e]{1,255}$/)
    .optional()
    .describe('Of the key pair that it was launched with.'),
  userDataSha256: sha256.optional().describe('Of its user data, which may have secrets and are not kept.'),
})
export type InstanceRecord = Readonly<z.infer<typeof instanceSchema>>
