import { cut, sparkline, wrap } from '../../../fleet/command/layout'

test('words are put in lines of at most so many characters, each indented as far as the first', () => {
  expect(wrap('has no backup; Systems Manager does not know it', 24, '  > ')).toEqual([
    '  > has no backup;',
    '    Systems Manager does',
    '    not know it',
  ])
  expect(wrap('', 24, '> ')).toEqual(['> '])
})

test('a word that is too long has a line of its own, whole: somebody may want to copy it', () => {
  const word = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0'
  expect(wrap(`of ${word} here`, 24, '')).toEqual(['of', word, 'here'])
})

test('what moves a cursor, or begins a line, does neither', () => {
  expect(wrap('all\nis \u001b[2Jwell', 80, '')).toEqual(['all | is ?[2Jwell'])
  expect(cut('a\nb', 80)).toBe('a | b')
})

test('of what is too long, the end is left out, and that is to be seen', () => {
  expect(cut('web-01', 6)).toBe('web-01')
  expect(cut('web-01-eu', 6)).toBe('web-0…')
})

test('a bar for each value, from nothing to the greatest', () => {
  expect(sparkline([0, 1, 2, 7])).toBe('▁▂▃█')
  expect(sparkline([5, 5])).toBe('██')
  expect(sparkline([0, 0])).toBe('▁▁')
  expect(sparkline([])).toBe('')
})
