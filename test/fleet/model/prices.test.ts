import { pricesOf, pricesSchema } from '../../../fleet/model/prices'

test('list prices are a file of prices themselves', () => {
  expect(pricesSchema.parse(pricesOf('eu-west-1'))).toEqual(pricesOf('eu-west-1'))
})

test('a region whose prices are not known has those of another, which say so', () => {
  expect(pricesOf('eu-west-1').region).toBe('eu-west-1')
  expect(pricesOf('ap-south-1').region).toBe('us-east-1')
})

test('a file may say no more than what is stored costs', () => {
  expect(
    pricesSchema.parse({ region: 'x', date: 'today', storage: { STANDARD: { perGibMonth: 0.03 } } }),
  ).toMatchObject({
    currency: 'USD',
    storage: { STANDARD: { perGibMonth: 0.03, minimumDays: 0, minimumBytes: 0, retrievalPerGib: 0 } },
  })
})
