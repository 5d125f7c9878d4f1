/** What the program in go/ asks of Google's client for Go, in this order, and the plain values that it gets. */
export const GO_OPERATIONS: readonly (readonly [name: string, expected: unknown])[] = [
  ['create a database', 'made'],
  ['DDL through the admin client', 'done'],
  ['DDL that does not parse', 'InvalidArgument'],
  [
    'the DDL of the database',
    [
      'CREATE TABLE singers (\n  id bigint NOT NULL,\n  name character varying(40) NOT NULL,\n  score numeric,\n  born date,\n  tags character varying[],\n  updated spanner.commit_timestamp,\n  PRIMARY KEY(id)\n)',
      'CREATE TABLE albums (\n  id bigint NOT NULL,\n  album bigint NOT NULL,\n  title character varying,\n  PRIMARY KEY(id, album)\n) INTERLEAVE IN PARENT singers ON DELETE CASCADE',
      'CREATE INDEX singers_by_name ON singers (name)',
    ],
  ],
  [
    'mutations',
    [
      ['1', 'Ann', true, ['a', 'b']],
      ['2', 'Bee', false, null],
      ['3', 'Cid', true, null],
    ],
  ],
  ['a mutation of a struct', [['Cyd', '1.50']]],
  [
    'mutations at least once',
    [
      ['1', 'Ann'],
      ['2', 'Bee'],
      ['3', 'Cyd'],
    ],
  ],
  [
    'a read-write transaction',
    [
      1,
      'Eve',
      [['Eva']],
      [
        ['1', 'Air'],
        ['5', 'Bye'],
      ],
    ],
  ],
  [
    'a transaction that is given up',
    [
      true,
      [
        ['1', 'Ann'],
        ['2', 'Bee'],
        ['3', 'Cyd'],
        ['5', 'Eva'],
      ],
    ],
  ],
  ['batch DML', [2, 3, 1]],
  ['batch DML that fails in the middle', [[1], 'AlreadyExists', []]],
  ['partitioned DML', 2],
  ['transactions that contend', [[null]]],
  ['an insert of a key that is there', 'AlreadyExists'],
  ['an update of a row that is not there', 'NotFound'],
  ['a child without its parent', 'NotFound'],
  ['NULL where it must not be', 'FailedPrecondition'],
  [
    'groups of mutations',
    [
      [
        { Group: 0, Code: 'OK', IsCommitted: true },
        { Group: 1, Code: 'AlreadyExists', IsCommitted: false },
        { Group: 2, Code: 'OK', IsCommitted: true },
        { Group: 3, Code: 'NotFound', IsCommitted: false },
      ],
      [['20'], ['22']],
    ],
  ],
  ['no groups of mutations', 'InvalidArgument'],
  ['a query with parameters', [['Ann', 'said']]],
  [
    'a query of every type',
    [
      [
        true,
        '9007199254740993',
        1.5,
        1.5,
        '1.50',
        'x',
        'AP8=',
        '2026-01-02',
        '2026-01-02T03:04:05.678901Z',
        '{"a": 1}',
        ['1', null, '3'],
        null,
      ],
    ],
  ],
  [
    'a read of keys',
    [
      ['1', 'Ann'],
      ['3', 'Cyd'],
      ['5', 'Eva!?'],
    ],
  ],
  ['a read by an index', [['Bee', '2']]],
  ['a row that is not there', 'NotFound'],
  ['a read-only transaction', [[['5']], [['5']], true]],
  ['a bounded read', [['Ann']]],
  ['the plan of a statement', 'Internal'],
  ['a query of what is not there', 'InvalidArgument'],
  ['a division by zero', 'OutOfRange'],
  ['a partitioned query', 4],
  ['a partitioned read', 2],
  ['drop the database', 'dropped'],
]
