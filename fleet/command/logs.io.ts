/** What hosts print while they run a command, as CloudWatch has it some half a minute later. */
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { httpHandler } from '../../agent/bucket/http-handler.io'
import { DIRECT } from '../../agent/bucket/proxy'
import { ssmError } from './ssm-errors'
import type { RunCommandOptions } from './systems-manager.io'
import type { CommandLog } from './systems-manager'

const CONNECT_TIMEOUT_SECONDS = 10
const REQUEST_SECONDS_MAX = 30
const CONNECTIONS_MAX = 4
/** Pages may be empty, and others follow; hosts print some twenty lines. */
const PAGES_MAX = 5

export function commandLog(options: Omit<RunCommandOptions, 'clock'>): CommandLog {
  const { region, credentials, endpointUrl, route = DIRECT } = options
  const client = new CloudWatchLogsClient({
    ...{ region, credentials },
    ...(endpointUrl !== undefined && { endpoint: endpointUrl }),
    requestHandler: httpHandler({
      route,
      connectionsMax: CONNECTIONS_MAX,
      connectSeconds: CONNECT_TIMEOUT_SECONDS,
      silenceSeconds: REQUEST_SECONDS_MAX,
    }),
  })
  return {
    async lastLine({ logGroup, commandId, instanceId, since }, signal) {
      // Streams are called COMMAND/INSTANCE/STEP/stderr, and stdout.
      const prefix = `${commandId}/${instanceId}/`
      let last: string | undefined
      let nextToken: string | undefined
      try {
        for (let page = 0; page < PAGES_MAX; page++) {
          const command = new FilterLogEventsCommand({
            ...{
              logGroupName: logGroup,
              logStreamNamePrefix: prefix,
              startTime: since.getTime(),
            },
            ...(nextToken !== undefined && { nextToken }),
          })
          const answer = await client.send(command, { abortSignal: signal })
          const logged = (answer.events ?? []).filter(
            ({ logStreamName = '' }) => logStreamName.startsWith(prefix) && logStreamName.endsWith('/stderr'),
          )
          last = logged.at(-1)?.message ?? last
          nextToken = answer.nextToken
          if (!nextToken) break
        }
      } catch (error) {
        throw ssmError(error, 'FilterLogEvents')
      }
      return last
    },
  }
}
