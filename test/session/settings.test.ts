import t from 'tap'
import { Settings } from '../../server/session/settings.ts'

const start = () => new Settings(new Map([['timezone', 'UTC']]))

t.test('SET lasts when its transaction commits, and goes when it rolls back', async (t) => {
  const settings = start()
  settings.set('TIMEZONE', 'Asia/Tokyo')
  t.equal(settings.get('timezone'), 'Asia/Tokyo')
  settings.endTransaction('rolled-back')
  t.equal(settings.get('TimeZone'), 'UTC')
  settings.set('TimeZone', 'Asia/Tokyo')
  settings.endTransaction('committed')
  t.equal(settings.get('TimeZone'), 'Asia/Tokyo')
})

t.test('SET LOCAL goes either way, and shows what SET says afterwards', async (t) => {
  const settings = start()
  settings.set('work_mem', '1MB')
  settings.setLocal('work_mem', '2MB')
  t.equal(settings.get('work_mem'), '2MB')
  settings.endTransaction('committed')
  t.equal(settings.get('work_mem'), '1MB')
})

t.test('RESET goes back to the startup packet', async (t) => {
  const settings = start()
  settings.set('TimeZone', 'Asia/Tokyo')
  settings.endTransaction('committed')
  settings.set('TimeZone', undefined)
  t.equal(settings.get('TimeZone'), 'UTC')
  settings.endTransaction('rolled-back')
  t.equal(settings.get('TimeZone'), 'Asia/Tokyo')
  settings.resetAll()
  settings.endTransaction('committed')
  t.strictSame([...settings.effective()], [['TimeZone', 'UTC']])
})

t.test('a later SET covers an earlier SET LOCAL', async (t) => {
  const settings = start()
  settings.setLocal('work_mem', '2MB')
  settings.set('work_mem', '3MB')
  t.equal(settings.get('work_mem'), '3MB')
})
