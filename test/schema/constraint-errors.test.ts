import t from 'tap'
import {
  BackendError,
  type BackendFailure,
  type BackendFailureKind,
} from '../../server/backend/backend-error.ts'
import { toPgError, type Written } from '../../server/schema/constraint-errors.ts'
import {
  type Column,
  type LogicalSchema,
  NO_USER_FUNCTIONS,
  NO_USER_TYPES,
  type Table,
} from '../../server/schema/logical-schema.ts'

const STRING = { code: 'STRING' } as const

function column(
  attribute: number,
  name: string,
  physicalName: string,
  more: Partial<Column> = {},
): Column {
  return {
    attribute,
    name,
    typeOid: 1043,
    typmod: -1,
    notNull: false,
    defaultText: undefined,
    identity: undefined,
    generated: false,
    physical: { name: physicalName, type: STRING, hasDefault: false },
    ...more,
  }
}

const NO_REFERENCE = { referencedTable: undefined, referencedColumns: [], definition: '' }

const MARK = {
  oid: 5,
  schema: 'app',
  name: 'Mark',
  notNull: true,
  isConstrained: true,
  isChecked: true,
}

const PARENT: Table = {
  kind: 'table',
  oid: 100,
  schema: 'app',
  name: 'Parent',
  columns: [
    column(1, 'id', 'id'),
    column(3, '_code', 'code', { typmod: 9 }),
    column(4, 'mark', 'mark', { domain: MARK }),
  ],
  constraints: [
    {
      oid: 1,
      name: 'Parent_pkey',
      type: 'primary-key',
      columns: [1],
      physicalName: 'PK_Parent',
      ...NO_REFERENCE,
    },
    {
      oid: 2,
      name: 'one code',
      type: 'unique',
      columns: [3, 1],
      physicalName: 'one_code',
      ...NO_REFERENCE,
    },
    {
      oid: 0,
      name: 'up',
      type: 'domain-check',
      columns: [4],
      physicalName: 'spw_domain_mark_up',
      ...NO_REFERENCE,
    },
    { oid: 3, name: 'good', type: 'check', columns: [3], physicalName: 'good_2', ...NO_REFERENCE },
  ],
  indexes: [],
  physicalName: 'app.Parent_2',
  hiddenKey: undefined,
}

const CHILD: Table = {
  ...PARENT,
  oid: 200,
  schema: 'public',
  name: 'child',
  columns: [column(1, 'p', 'p'), column(2, 'fixed', 'fixed', { typeOid: 1042, typmod: 7 })],
  constraints: [
    {
      oid: 4,
      name: 'child_p_fkey',
      type: 'foreign-key',
      columns: [1],
      referencedTable: 100,
      referencedColumns: [1],
      definition: '',
      physicalName: 'child_p_fkey_2',
    },
  ],
  indexes: [
    { oid: 5, name: 'ux', unique: true, columns: [2], definition: '', physicalName: 'ux_3' },
  ],
  physicalName: 'child',
}

const SCHEMA: LogicalSchema = {
  version: 1n,
  relations: new Map([PARENT, CHILD].map((table) => [table.oid, table])),
  sequences: new Map(),
  userTypes: NO_USER_TYPES,
  userFunctions: NO_USER_FUNCTIONS,
  tablesByPhysicalName: new Map([PARENT, CHILD].map((table) => [table.physicalName, table])),
}

function failed(failure: BackendFailure, message = 'what Spanner says', written?: Written) {
  const {
    code,
    message: text,
    fields,
  } = toPgError(new BackendError(message, { failure, grpcCode: 9 }), SCHEMA, written)
  return {
    code,
    message: text,
    ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
  }
}

t.test('violated constraints are named as they were declared', async (t) => {
  t.same(failed({ kind: 'unique-violation', table: 'app.Parent_2', key: ['7'] }), {
    code: '23505',
    message: 'duplicate key value violates unique constraint "Parent_pkey"',
    detail: 'Key (id)=(7) already exists.',
    schema: 'app',
    table: 'Parent',
    constraint: 'Parent_pkey',
  })
  t.match(failed({ kind: 'unique-violation', key: ['7'] }, '', { table: PARENT, row: undefined }), {
    constraint: 'Parent_pkey',
    detail: 'Key (id)=(7) already exists.',
  })
  t.match(failed({ kind: 'unique-violation', index: 'app.one_code', key: ['x', '1'] }), {
    message: 'duplicate key value violates unique constraint "one code"',
    detail: 'Key (_code, id)=(x, 1) already exists.',
    table: 'Parent',
  })
  t.match(failed({ kind: 'unique-violation', index: 'ux_3' }), {
    message: 'duplicate key value violates unique constraint "ux"',
    table: 'child',
  })
  t.notOk('detail' in failed({ kind: 'unique-violation', index: 'ux_3' }), 'no key, no detail')
  t.notOk(
    'detail' in failed({ kind: 'unique-violation', index: 'ux_3', key: ['a', ' b'] }),
    'a text that is cut in the wrong places is no key',
  )
  t.match(failed({ kind: 'unique-violation', index: 'ux_3', key: ['a', ' b'], keyText: 'a, b' }), {
    detail: 'Key (fixed)=(a, b) already exists.',
  })
  t.same(
    failed({
      kind: 'foreign-key-violation',
      side: 'referencing',
      table: 'child',
      constraint: 'child_p_fkey_2',
      key: ['9'],
    }),
    {
      code: '23503',
      message: 'insert or update on table "child" violates foreign key constraint "child_p_fkey"',
      detail: 'Key (p)=(9) is not present in table "Parent".',
      schema: 'public',
      table: 'child',
      constraint: 'child_p_fkey',
    },
  )
  t.same(
    failed({ kind: 'foreign-key-violation', side: 'referenced', table: 'child', key: ['9'] }),
    {
      code: '23503',
      message:
        'update or delete on table "Parent" violates foreign key constraint "child_p_fkey" on table "child"',
      detail: 'Key (id)=(9) is still referenced from table "child".',
      schema: 'public',
      table: 'child',
      constraint: 'child_p_fkey',
    },
  )
  t.same(failed({ kind: 'not-null-violation', table: 'app.Parent_2', column: 'code' }), {
    code: '23502',
    message: 'null value in column "_code" of relation "Parent" violates not-null constraint',
    schema: 'app',
    table: 'Parent',
    column: '_code',
  })
  t.same(failed({ kind: 'check-violation', table: 'app.Parent_2', constraint: 'good_2' }), {
    code: '23514',
    message: 'new row for relation "Parent" violates check constraint "good"',
    schema: 'app',
    table: 'Parent',
    constraint: 'good',
  })
})

t.test('what the domain of a column demands is an error of the domain', async (t) => {
  const check = {
    kind: 'check-violation',
    table: 'app.Parent_2',
    constraint: 'spw_domain_mark_up',
  } as const
  t.same(failed(check), {
    code: '23514',
    message: 'value for domain app."Mark" violates check constraint "up"',
    schema: 'app',
    dataType: 'Mark',
    constraint: 'up',
  })
  t.same(failed({ kind: 'not-null-violation', table: 'app.Parent_2', column: 'mark' }), {
    code: '23502',
    message: 'domain app."Mark" does not allow null values',
    schema: 'app',
    dataType: 'Mark',
  })
})

t.test('the row that was written is in the detail where it is known', async (t) => {
  const parent: Written = { table: PARENT, row: ['7', null] }
  t.match(failed({ kind: 'not-null-violation', column: 'code' }, '', parent), {
    message: 'null value in column "_code" of relation "Parent" violates not-null constraint',
    detail: 'Failing row contains (7, null).',
  })
  const long = `${'x'.repeat(63)}é${'x'.repeat(9)}`
  t.match(
    failed({ kind: 'check-violation', table: 'app.Parent_2', constraint: 'good_2' }, '', {
      table: PARENT,
      row: ['', long],
    }),
    { detail: `Failing row contains (, ${'x'.repeat(63)}...).` },
    '64 bytes of a value are shown, and no half of a character',
  )
  t.match(
    failed({ kind: 'foreign-key-violation', side: 'referencing', table: 'child' }, '', {
      table: CHILD,
      row: ['8', 'x'],
    }),
    { detail: 'Key (p)=(8) is not present in table "Parent".' },
  )
  t.match(
    failed({ kind: 'unique-violation', key: ['x', 'y'], keyText: 'x, y' }, '', {
      table: PARENT,
      row: ['7', null],
    }),
    { detail: 'Key (id)=(7) already exists.' },
    'the row has the values themselves',
  )
  t.notOk(
    'detail' in
      failed({ kind: 'foreign-key-violation', side: 'referencing', table: 'child' }, '', parent),
    'a row of another table says nothing',
  )
})

t.test('checks of our own are errors of the declared type', async (t) => {
  const check = (constraint: string) =>
    failed({ kind: 'check-violation', table: 'child', constraint })
  t.same(check('spw_int2_child_p'), { code: '22003', message: 'smallint out of range' })
  t.same(check('spw_int4_child_p_2'), { code: '22003', message: 'integer out of range' })
  t.same(check('spw_num10_2_child_p'), {
    code: '22003',
    message: 'numeric field overflow',
    detail: 'A field with precision 10, scale 2 must round to an absolute value less than 10^8.',
  })
  t.match(check('spw_num2_2_child_p'), {
    detail: 'A field with precision 2, scale 2 must round to an absolute value less than 1.',
  })
  t.match(check('spw_num2_m3_child_p'), {
    detail: 'A field with precision 2, scale -3 must round to an absolute value less than 10^5.',
  })
})

t.test('a text that is too long names the declared type', async (t) => {
  const tooLong = (column: string, table: string, limit?: number) =>
    failed({ kind: 'string-too-long', table, column, ...(limit === undefined ? {} : { limit }) })
  t.same(tooLong('code', 'app.Parent_2', 5), {
    code: '22001',
    message: 'value too long for type character varying(5)',
  })
  t.same(tooLong('fixed', 'child'), {
    code: '22001',
    message: 'value too long for type character(3)',
  })
})

t.test('names that are not in the schema leave Spanner its own words', async (t) => {
  const cases: readonly (readonly [BackendFailure, string])[] = [
    [{ kind: 'unique-violation', index: 'nobody' }, '23505'],
    [{ kind: 'foreign-key-violation', side: 'referenced', table: 'nobody' }, '23503'],
    [{ kind: 'not-null-violation', column: 'nobody' }, '23502'],
    [{ kind: 'check-violation', constraint: 'nobody' }, '23514'],
    [{ kind: 'string-too-long' }, '22001'],
  ]
  for (const [failure, code] of cases)
    t.match(failed(failure), { code, message: 'what Spanner says' })
})

t.test('every other failure has a code of PostgreSQL', async (t) => {
  const codes: Readonly<
    Record<
      Exclude<
        BackendFailureKind,
        | 'sql'
        | 'unique-violation'
        | 'foreign-key-violation'
        | 'not-null-violation'
        | 'check-violation'
        | 'string-too-long'
      >,
      string
    >
  > = {
    unsupported: '0A000',
    aborted: '40001',
    'database-not-found': '3D000',
    'database-exists': '42P04',
    'session-not-found': '08006',
    'object-exists': '42P07',
    'object-not-found': '42P01',
    'ddl-conflict': '55006',
    'transaction-too-large': '54000',
    'stale-read': '72000',
    'permission-denied': '42501',
    unauthenticated: '28000',
    unavailable: '08006',
    'resource-exhausted': '53000',
    'too-many-sessions': '53300',
    'deadline-exceeded': '57014',
    cancelled: '57014',
    'commit-unknown': '08007',
    internal: 'XX000',
  }
  for (const [kind, code] of Object.entries(codes)) {
    t.equal(failed({ kind } as BackendFailure).code, code, kind)
  }
  t.same(
    failed(
      { kind: 'sql', sqlState: '22012', hint: 'do not' },
      '[ERROR] division by zero\nHint: no',
    ),
    {
      code: '22012',
      message: 'division by zero',
      hint: 'do not',
    },
  )
  t.match(failed({ kind: 'aborted' }), {
    message: 'could not serialize access due to concurrent update',
  })
})
