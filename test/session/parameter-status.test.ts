import { test } from 'tap'
import { ByteWriter } from '../../server/base/byte-writer.ts'
import { ParameterStatusReporter } from '../../server/session/parameter-status.ts'
import { Settings } from '../../server/session/settings.ts'
import type { ClientIo } from '../../server/wire/client-io.ts'

test('the client is told what changed, once', async (t) => {
  const output = new ByteWriter()
  const reporter = new ParameterStatusReporter({ output } as ClientIo)
  const settings = new Settings(new Map([['application_name', 'tests']]))
  /** Names and values of the ParameterStatus messages that a report writes. */
  const told = () => {
    reporter.report(settings)
    const bytes = output.take()
    const pairs: string[] = []
    for (let at = 0; at < bytes.length; at += 1 + bytes.readInt32BE(at + 1)) {
      const body = bytes.toString('utf8', at + 5, at + 1 + bytes.readInt32BE(at + 1))
      pairs.push(body.split('\0').slice(0, 2).join('='))
    }
    return pairs
  }
  reporter.start(
    new Map([
      ['TimeZone', 'UTC'],
      ['server_version', '15.18'],
    ]),
  )
  t.strictSame(told(), ['application_name=tests', 'server_version=15.18', 'TimeZone=UTC'])
  t.strictSame(told(), [])
  settings.set('timezone', 'Asia/Tokyo')
  settings.set('search_path', 'elsewhere')
  t.strictSame(told(), ['TimeZone=Asia/Tokyo'])
  settings.endTransaction('rolled-back')
  t.strictSame(told(), ['TimeZone=UTC'], 'a rollback is a change, too')
  t.strictSame(told(), [])
  reporter.start(new Map([['TimeZone', 'Europe/Berlin']]))
  t.strictSame(told(), ['TimeZone=Europe/Berlin'], 'the server says something else now')
})
