/** The same without some of its fields. */
export function without<T extends object, Name extends keyof T & string>(value: T, ...names: Name[]): Omit<T, Name> {
  const rest = Object.entries(value).filter(([name]) => !names.includes(name as Name))
  return Object.fromEntries(rest) as Omit<T, Name>
}
