/** Maintenance windows, and the commands that they sent. */
import type {
  MaintenanceWindowExecution,
  MaintenanceWindowExecutionTaskInvocationIdentity,
  MaintenanceWindowIdentity,
  SSMClient,
} from '@aws-sdk/client-ssm'
import type { Place, WindowExecution } from './account'
import { pagesOf } from './pages.io'
import { toSeconds } from './account-shapes'

export interface WindowRequest {
  readonly sdk: typeof import('@aws-sdk/client-ssm')
  readonly ssm: SSMClient
  readonly how: { readonly abortSignal: AbortSignal }
  readonly schedules: readonly string[]
  /** In seconds. */
  readonly since: number
  readonly place: Place
}

/** The stack names its windows after itself and the schedule. */
export async function windowExecutions(request: WindowRequest): Promise<readonly WindowExecution[]> {
  const windows = (await listWindows(request)).filter(({ Name = '' }) =>
    request.schedules.some((schedule) => Name.endsWith(`-${schedule}`)),
  )
  const found: WindowExecution[] = []
  for (const { WindowId, Name = '' } of windows) {
    const schedule = request.schedules.find((each) => Name.endsWith(`-${each}`)) ?? ''
    for (const execution of await listExecutions(request, WindowId)) {
      found.push(await toExecution(request, schedule, execution))
    }
  }
  return found
}

function listWindows({ sdk, ssm, how }: WindowRequest): Promise<readonly MaintenanceWindowIdentity[]> {
  return pagesOf('ssm:DescribeMaintenanceWindows', async (NextToken) => {
    const page = await ssm.send(new sdk.DescribeMaintenanceWindowsCommand({ NextToken }), how)
    return { items: page.WindowIdentities ?? [], next: page.NextToken }
  })
}

function listExecutions(
  { sdk, ssm, how, since }: WindowRequest,
  WindowId: string | undefined,
): Promise<readonly MaintenanceWindowExecution[]> {
  const Filters = [{ Key: 'ExecutedAfter', Values: [new Date(since * 1000).toISOString().replace(/\.\d+Z$/, 'Z')] }]
  return pagesOf('ssm:DescribeMaintenanceWindowExecutions', async (NextToken) => {
    const command = new sdk.DescribeMaintenanceWindowExecutionsCommand({ WindowId, Filters, NextToken })
    const page = await ssm.send(command, how)
    return { items: page.WindowExecutions ?? [], next: page.NextToken }
  })
}

async function toExecution(
  request: WindowRequest,
  schedule: string,
  execution: MaintenanceWindowExecution,
): Promise<WindowExecution> {
  const { WindowExecutionId, Status = '', StatusDetails = '', StartTime } = execution
  const { sdk, ssm, how } = request
  const tasks = await pagesOf('ssm:DescribeMaintenanceWindowExecutionTasks', async (NextToken) => {
    const command = new sdk.DescribeMaintenanceWindowExecutionTasksCommand({ WindowExecutionId, NextToken })
    const page = await ssm.send(command, how)
    return { items: page.WindowExecutionTaskIdentities ?? [], next: page.NextToken }
  })
  const sent: MaintenanceWindowExecutionTaskInvocationIdentity[] = []
  for (const { TaskExecutionId: TaskId } of tasks) {
    sent.push(
      ...(await pagesOf('ssm:DescribeMaintenanceWindowExecutionTaskInvocations', async (NextToken) => {
        const which = { WindowExecutionId, TaskId, NextToken }
        const command = new sdk.DescribeMaintenanceWindowExecutionTaskInvocationsCommand(which)
        const page = await ssm.send(command, how)
        return { items: page.WindowExecutionTaskInvocationIdentities ?? [], next: page.NextToken }
      })),
    )
  }
  return {
    ...{
      window: schedule,
      startedAt: toSeconds(StartTime ?? new Date(0)),
      status: Status,
      statusReason: StatusDetails,
    },
    // Of a task that sends commands, the execution of an invocation is the command.
    commandIds: sent.flatMap(({ ExecutionId }) => ExecutionId ?? []),
  }
}
