/** How often schedules come round: from that follows how old a backup may be before it is late. */

const MINUTES_PER = { minute: 1, hour: 60, day: 1440 } as const
const RATE = /^rate\((\d+) (minute|hour|day)s?\)$/
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
/** Systems Manager counts from 1, as Sunday. */
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']
const DAY_MINUTES = 1440
/** With two leap days, and each date on several days of the week. */
const FIRST_DAY = Date.UTC(2024, 0, 1) / 86_400_000
const DAYS = 8 * 365 + 2

/** On which days, and when on these. */
interface Calendar {
  readonly isOn: (date: Date) => boolean
  /** Minutes of the day, in order. */
  readonly minutes: readonly number[]
}

/**
 * The longest time between one start and the next, where all of these start the same work. Of the year in a cron expression nothing is taken,
 * nor of time zones, which make an hour's difference twice a year.
 *
 * @param expressions - as Systems Manager writes them: `cron(0 2 ? * * *)`, `rate(12 hours)`
 * @returns hours; undefined where nobody can say, as of a day that never comes
 */
export function longestGapHours(expressions: readonly string[]): number | undefined {
  const rates = expressions.map(parseRate).filter((minutes) => minutes !== undefined)
  const calendars = expressions.filter((expression) => parseRate(expression) === undefined).map(parseCron)
  if (calendars.includes(undefined)) return undefined
  const gap = longestGap(calendars.filter((calendar) => calendar !== undefined))
  const minutes = Math.min(...rates, gap ?? Infinity)
  return Number.isFinite(minutes) ? minutes / 60 : undefined
}

/** @returns minutes */
function parseRate(expression: string): number | undefined {
  const [, count, unit] = RATE.exec(expression) ?? []
  return unit === undefined ? undefined : Number(count) * MINUTES_PER[unit as keyof typeof MINUTES_PER]
}

function longestGap(calendars: readonly Calendar[]): number | undefined {
  let previous: number | undefined
  let longest: number | undefined
  for (let day = FIRST_DAY; day < FIRST_DAY + DAYS; day++) {
    const date = new Date(day * 86_400_000)
    const starts = new Set(calendars.filter(({ isOn }) => isOn(date)).flatMap(({ minutes }) => minutes))
    for (const minute of [...starts].sort((a, b) => a - b)) {
      const at = day * DAY_MINUTES + minute
      if (previous !== undefined) longest = Math.max(longest ?? 0, at - previous)
      previous = at
    }
  }
  return longest
}

function parseCron(expression: string): Calendar | undefined {
  const fields = /^cron\((.*)\)$/.exec(expression)?.[1]?.split(' ') ?? []
  const [minute = '', hour = '', dayOfMonth = '', month = '', weekday = ''] = fields
  const minutes = parseField(minute, 0, 59)
  const hours = parseField(hour, 0, 23)
  const months = parseField(named(month, MONTHS, 1), 1, 12)
  const ofMonth = parseDayOfMonth(dayOfMonth)
  const ofWeek = parseWeekday(named(weekday, WEEKDAYS, 1))
  if (!minutes || !hours || !months || !ofMonth || !ofWeek) return undefined
  return {
    isOn: (date) => months.has(date.getUTCMonth() + 1) && ofMonth(date) && ofWeek(date),
    minutes: [...hours].flatMap((each) => [...minutes].map((more) => each * 60 + more)),
  }
}

function named(field: string, names: readonly string[], first: number): string {
  return names.reduce((text, name, index) => text.replaceAll(name, String(index + first)), field)
}

/** `*`, `5`, `1-5`, `0/15`, and lists of these. */
function parseField(field: string, min: number, max: number): ReadonlySet<number> | undefined {
  if (field === '?') return parseField('*', min, max)
  const values = new Set<number>()
  for (const item of field.split(',')) {
    const [, from, , to, step] = /^(\*|\d+)(-(\d+))?(?:\/(\d+))?$/.exec(item) ?? []
    if (from === undefined || step === '0') return undefined
    const start = from === '*' ? min : Number(from)
    const end = to === undefined ? (from === '*' || step !== undefined ? max : start) : Number(to)
    if (start < min || end > max || start > end) return undefined
    for (let value = start; value <= end; value += Number(step ?? 1)) values.add(value)
  }
  return values
}

type DayTest = (date: Date) => boolean

function parseDayOfMonth(field: string): DayTest | undefined {
  if (field === 'L') return (date) => date.getUTCDate() === lengthOfMonth(date)
  if (field === 'LW') return (date) => date.getUTCDate() === nearestWorkday(date, lengthOfMonth(date))
  const workday = /^(\d+)W$/.exec(field)?.[1]
  if (workday !== undefined) return (date) => date.getUTCDate() === nearestWorkday(date, Number(workday))
  const days = parseField(field, 1, 31)
  return days && ((date) => days.has(date.getUTCDate()))
}

function parseWeekday(field: string): DayTest | undefined {
  const isWeekday = (date: Date, number: string | undefined) => date.getUTCDay() + 1 === Number(number)
  const [, ofLast] = /^([1-7])L$/.exec(field) ?? []
  if (ofLast !== undefined) {
    return (date) => isWeekday(date, ofLast) && date.getUTCDate() + 7 > lengthOfMonth(date)
  }
  const [, weekday, nth] = /^([1-7])#([1-5])$/.exec(field) ?? []
  if (weekday !== undefined) {
    return (date) => isWeekday(date, weekday) && Math.ceil(date.getUTCDate() / 7) === Number(nth)
  }
  const days = parseField(field, 1, 7)
  return days && ((date) => days.has(date.getUTCDay() + 1))
}

function lengthOfMonth(date: Date): number {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
}

/** The day from Monday to Friday of the same month that is nearest to one. */
function nearestWorkday(date: Date, day: number): number {
  const last = lengthOfMonth(date)
  const weekday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), day)).getUTCDay()
  if (weekday === 6) return day > 1 ? day - 1 : day + 2
  if (weekday === 0) return day < last ? day + 1 : day - 2
  return day
}
