import { execFileSync } from 'node:child_process'
import { buildSync } from 'esbuild'
import { HEAP_FLAGS } from '../../fleet/heap.io'

test('V8 knows the flags that it is given', () => {
  const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })
  for (const flag of HEAP_FLAGS) expect(known).toContain(`${flag.replace(/=.*/, '')} (`)
})

test('a program that keeps its heap small has no garbage once it has been tidied; any other is left as it is', () => {
  const contents = `
    import { keepHeapSmall, tidyHeap } from './fleet/heap.io'
    const litter = () => void Array.from({ length: 50 }, (_, index) => 'x'.repeat(2 ** 20) + index).map((text) => JSON.parse(JSON.stringify(text)))
    const used = () => Math.round(process.memoryUsage().heapUsed / 2 ** 20)
    tidyHeap()
    keepHeapSmall()
    tidyHeap()
    const before = used()
    litter()
    tidyHeap()
    console.log(used() - before)`
  const { outputFiles } = buildSync({
    stdin: { contents, resolveDir: '.', loader: 'ts' },
    bundle: true,
    platform: 'node',
    write: false,
  })
  const printed = execFileSync(process.execPath, ['--input-type=commonjs'], {
    input: outputFiles[0]?.text ?? '',
    encoding: 'utf8',
  })
  expect(Number(printed)).toBeLessThan(5)
})
