/** What S3 charges for storage, as data: list prices of one region, or those of a file. */
import { z } from 'zod'

const amount = z.number().min(0)

const storagePriceSchema = z.object({
  /** For a GiB in a month, which is what S3 calls a GB. */
  perGibMonth: amount,
  /** What leaves earlier is charged for as many days. */
  minimumDays: z.int().min(0).default(0),
  /** Smaller objects are charged for as if they were so large. */
  minimumBytes: z.int().min(0).default(0),
  /** For a GiB that is read back, by the cheapest way of reading all of a backup. */
  retrievalPerGib: amount.default(0),
})

export const pricesSchema = z.object({
  region: z.string().min(1),
  /** As of when, as people write it. */
  date: z.string().min(1),
  /** As ISO 4217 has it. */
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .default('USD'),
  storage: z.record(z.string(), storagePriceSchema),
})

export type Prices = Readonly<z.infer<typeof pricesSchema>>

const SMALL = { minimumBytes: 128 * 1024 }

/**
 * List prices of us-east-1 for the first 50 TB, without taxes; source: aws.amazon.com/s3/pricing. The retrieval from Glacier is
 * by its bulk tier, which is what --thaw takes where nothing is in a hurry.
 */
const LIST: Prices['storage'] = {
  STANDARD: { perGibMonth: 0.023, minimumDays: 0, minimumBytes: 0, retrievalPerGib: 0 },
  STANDARD_IA: { perGibMonth: 0.0125, minimumDays: 30, ...SMALL, retrievalPerGib: 0.01 },
  ONEZONE_IA: { perGibMonth: 0.01, minimumDays: 30, ...SMALL, retrievalPerGib: 0.01 },
  INTELLIGENT_TIERING: { perGibMonth: 0.023, minimumDays: 0, minimumBytes: 0, retrievalPerGib: 0 },
  GLACIER_IR: { perGibMonth: 0.004, minimumDays: 90, ...SMALL, retrievalPerGib: 0.03 },
  GLACIER: { perGibMonth: 0.0036, minimumDays: 90, minimumBytes: 0, retrievalPerGib: 0 },
  DEEP_ARCHIVE: { perGibMonth: 0.00099, minimumDays: 180, minimumBytes: 0, retrievalPerGib: 0.0025 },
}
const DATE = 'May 2026'
const REGION = 'us-east-1'

/** List prices. They name the region that they are of: elsewhere most things cost a little more. */
export const LIST_PRICES: Prices = { region: REGION, date: DATE, currency: 'USD', storage: LIST }
