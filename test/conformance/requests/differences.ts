/** Requests that the embedded server answers otherwise than the emulator 1.5.28. */
interface Difference {
  /** Names of steps. */
  readonly steps: RegExp
  /** How many there are of them. */
  readonly count: number
  /** Why it stays so. */
  readonly reason: string
}

export const DIFFERENCES: readonly Difference[] = [
  {
    steps: /^sessions: (?:getSession with labels|listSessions from nonsense)/,
    count: 2,
    reason: 'the emulator forgets the labels of sessions',
  },
  {
    steps: /(?:^|: )createSession|multiplexed$/,
    count: 3,
    reason: 'the emulator knows no multiplexed sessions',
  },
  {
    steps: /^sessions: batchCreateSessions (?:0|without)/,
    count: 2,
    reason: 'a batch of no sessions: the API requires a count',
  },
  {
    steps: /batchWrite/,
    count: 6,
    reason: 'the emulator has no BatchWrite',
  },
  {
    steps: /^no session: beginTransaction/,
    count: 2,
    reason: 'names that are none are invalid here in each method, in the emulator in all but this',
  },
  {
    steps: /^(?:read-only: executeBatchDml|inline begins: executeBatchDml without)/,
    count: 2,
    reason: 'the emulator calls it INTERNAL, where a batch needs a read-write transaction',
  },
  {
    steps: /FOR UPDATE$/,
    count: 1,
    reason:
      'the emulator refuses FOR UPDATE in read-only transactions by another code than elsewhere',
  },
  {
    steps: /^partitioned dml: executeSql UPDATE nope/,
    count: 1,
    reason: 'the emulator reads partitioned DML as GoogleSQL',
  },
  {
    steps: /^replaced on its session|^partitions: partitionRead|^a schema change/,
    count: 16,
    reason:
      'a transaction is over when another begins on its session, and a read-only one when the schema changes; in the emulator it is not',
  },
  {
    steps: /^options of a begin/,
    count: 17,
    reason:
      'older versions of rows are not kept; the emulator waits for a moment to come when it reads first',
  },
  {
    steps: /^after a statement that failed/,
    count: 8,
    reason:
      'Spanner goes on after a statement that failed, the emulator fails whatever comes next in the same way',
  },
  {
    steps: /^last statements/,
    count: 3,
    reason: 'the emulator does not look at lastStatement',
  },
  {
    steps: /^parameters of each type: executeSql "FLOAT32"/,
    count: 7,
    reason: 'the emulator takes any value for a FLOAT32, as 0',
  },
  {
    steps: /^parameters of each type: .*(?:STRUCT|"NUMERIC"|"JSON")/,
    count: 43,
    reason: 'of types that the dialect lacks, the emulator looks at the value first',
  },
  {
    steps: /^parameters of a statement: .*(?:LIMIT|OFFSET)/,
    count: 2,
    reason: 'LIMIT NULL is no limit to PostgreSQL; the emulator has no negative OFFSET',
  },
  {
    steps: /^parameters of a statement: .*(?:not named|second only|without a code)/,
    count: 3,
    reason:
      'the emulator tells of parameters that the statement does not name, and takes no type without a code',
  },
  {
    steps: /^parameters of a statement: executeSql SELECT \$1 AS x/,
    count: 9,
    reason:
      'blanks around values, years outside of the calendar, NUL in texts (which PostgreSQL has not), OIDs past 32 bits, timestamps that are texts',
  },
  {
    steps: /^hints: .*(?:UPDATE|DELETE FROM) p \/\*@ FORCE_INDEX=_BASE_TABLE/,
    count: 2,
    reason: 'the emulator takes no FORCE_INDEX in DML: INTERNAL',
  },
  {
    steps: /a resume token$/,
    count: 1,
    reason: 'the emulator does not look at resume tokens',
  },
  {
    steps: /^counts and rows/,
    count: 2,
    reason:
      'the emulator does not compute generated columns before RETURNING, and lacks casts of empty arrays',
  },
  {
    steps: /^reads by the primary key: read k \{"columns":\[\]/,
    count: 1,
    reason: 'the emulator reads rows of no columns',
  },
  {
    steps: /^reads by an index: read k \{"index":"k_w"/,
    count: 9,
    reason: 'the emulator leaves rows with NULL out of unique indexes',
  },
  {
    steps: /^reads by an index: read (?:p|public)/,
    count: 2,
    reason: 'an index of another table, and tables of the schema public by their full name',
  },
  {
    steps: /^partitions: partitionQuery dml/,
    count: 1,
    reason: 'the emulator makes partitions of DML',
  },
  {
    steps: /^mutations \[\{"insert":\{"table":"g"/,
    count: 3,
    reason: 'CHECKs are checked after each mutation of a Commit, in the emulator at its end',
  },
  {
    steps: /^mutations \[\{"update":\{"table":"(?:p|k)","columns":\["(?:id","name|a","b)"\]/,
    count: 3,
    reason: 'of rows that are missing, the emulator looks at the values first',
  },
  {
    steps: /^mutations \[\{"delete":\{"table":"self"/,
    count: 1,
    reason: "the constraint is named in the details of the error, as its words are production's",
  },
  {
    steps: /^mutations \[\{"delete":\{"table":"k"/,
    count: 4,
    reason: 'the emulator lacks deletes of such ranges',
  },
  {
    steps: /^values of each type/,
    count: 2,
    reason: 'PostgreSQL has no NUL in texts',
  },
  {
    steps: /^ddl, refused/,
    count: 1,
    reason: 'a key of another type is found by PostgreSQL',
  },
  {
    steps: /^ddl, changes/,
    count: 1,
    reason: 'NOT NULL columns cannot be added; the emulator says so only where there are rows',
  },
  {
    steps: /^ddl, otherwise/,
    count: 5,
    reason:
      'columns of views keep their types; the emulator has no RENAME; synonyms are not supported',
  },
  {
    steps: /^ddl, ttl/,
    count: 1,
    reason: 'the emulator names the tables that are interleaved alone',
  },
]
