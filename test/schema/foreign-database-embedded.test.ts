import t from 'tap'
import { checkForeignDatabase } from './foreign-database.ts'

t.test('a database of others on the embedded backend', (t) => checkForeignDatabase(t, 'embedded'))
