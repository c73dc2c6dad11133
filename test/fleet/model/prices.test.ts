import { LIST_PRICES, pricesSchema } from '../../../fleet/model/prices'

test('list prices are a file of prices themselves', () => {
  expect(pricesSchema.parse(LIST_PRICES)).toEqual(LIST_PRICES)
})

test('a file may say no more than what is stored costs', () => {
  expect(
    pricesSchema.parse({ region: 'x', date: 'today', storage: { STANDARD: { perGibMonth: 0.03 } } }),
  ).toMatchObject({
    currency: 'USD',
    storage: { STANDARD: { perGibMonth: 0.03, minimumDays: 0, minimumBytes: 0, retrievalPerGib: 0 } },
  })
})
