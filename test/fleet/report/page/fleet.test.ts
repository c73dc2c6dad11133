import { collectPageData } from '../../../../fleet/report/collect'
import { readFleet } from '../../../../fleet/report/page/fleet'
import { madeUpFleet } from '../../../support/made-up-fleet'

const input = madeUpFleet(48)
const fleet = readFleet(collectPageData(input))

test('hosts come in the order of the view, by their whole names', () => {
  expect(fleet.hosts.map(({ key }) => key)).toEqual(input.view.hosts.map(({ host }) => host))
})

test('each host has its own classes, runs, filesystems and drill', () => {
  for (const [place, view] of input.view.hosts.entries()) {
    const host = fleet.hosts[place]!
    expect(host.classes.map((of) => of.class)).toEqual(view.classes.map((of) => of.class))
    expect(host.leftOut.map(({ mountPoint }) => mountPoint)).toEqual(view.leftOut.map(({ mountPoint }) => mountPoint))
    expect(host.drill?.run).toBe(view.drill?.run)
    for (const of of host.classes) {
      const runs = input.histories.get(view.host)?.classes.find((each) => each.class === of.class)?.runs ?? []
      expect(of.runs()).toHaveLength(runs.length)
    }
  }
})

test('a host that has no name is called by its id', () => {
  const [first] = input.view.hosts
  const data = collectPageData({ ...input, view: { ...input.view, hosts: [{ ...first!, name: '' }] } })
  expect(readFleet(data).hosts[0]!.label).toBe(first!.host.split('/').pop())
})
