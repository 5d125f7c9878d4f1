import { type BackendFailure, INTERLEAVING } from '../backend/backend-error.ts'
import { parseErrorKey } from './error-keys.ts'
import { type ErrorPattern, type Groups, present, sql } from './error-pattern.ts'
import { GRPC_CODE } from './transport.ts'

const { NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, OUT_OF_RANGE } = GRPC_CODE

function keyOf(groups: Groups): readonly (string | null)[] | undefined {
  return groups['key'] === undefined ? undefined : parseErrorKey(groups['key'])
}

function uniqueViolation(groups: Groups): BackendFailure {
  return present({
    kind: 'unique-violation',
    table: groups['table'],
    index: groups['index'],
    key: keyOf(groups),
  })
}

function foreignKeyViolation(side: 'referencing' | 'referenced') {
  return (groups: Groups): BackendFailure =>
    present({
      kind: 'foreign-key-violation',
      side,
      constraint: groups['constraint'],
      table: groups['table'],
      key: keyOf(groups),
    })
}

function interleavingViolation(side: 'referencing' | 'referenced') {
  return (groups: Groups): BackendFailure =>
    foreignKeyViolation(side)({ ...groups, constraint: INTERLEAVING })
}

/** Of a column that must not be NULL: a pattern captures `table` and `column`. */
export function notNullViolation(groups: Groups): BackendFailure {
  return present({ kind: 'not-null-violation', table: groups['table'], column: groups['column'] })
}

function checkViolation(groups: Groups): BackendFailure {
  return present({
    kind: 'check-violation',
    table: groups['table'],
    constraint: groups['constraint'],
  })
}

/** Rows that contradict constraints, and values that columns cannot have. */
export const CONSTRAINT_PATTERNS: readonly ErrorPattern[] = [
  {
    name: 'duplicate primary key (emulator)',
    text: /^Failed to insert row with primary key \((?<key>\{.*\})\) due to previously (?:existing|inserted) row/s,
    failure: uniqueViolation,
  },
  {
    name: 'duplicate primary key by mutation (emulator)',
    codes: [ALREADY_EXISTS],
    text: /^Table (?<table>[^:]+): Row (?<key>\{.*\}) already exists/s,
    failure: uniqueViolation,
  },
  {
    name: 'duplicate primary key (production)',
    codes: [ALREADY_EXISTS],
    text: /^Row (?<key>\[.*\]) in table (?<table>\S+) already exists/s,
    failure: uniqueViolation,
  },
  {
    name: 'unique index (emulator)',
    codes: [ALREADY_EXISTS, FAILED_PRECONDITION],
    text: /^(?:UNIQUE violation|Found uniqueness violation) on index (?<index>[^,]+),\s+duplicate key: (?<key>\{.*\})(?: in this transaction)?\.?$/s,
    failure: uniqueViolation,
  },
  {
    name: 'unique index (production)',
    codes: [ALREADY_EXISTS, FAILED_PRECONDITION],
    text: /^Unique index violation (?:on|at) index (?<index>\S+) at index key (?<key>\[.*?\])\.(?: It conflicts with row .* in table (?<table>[^.\s]+))?/s,
    failure: uniqueViolation,
  },
  {
    name: 'foreign key, missing parent (emulator)',
    text: /^Foreign key `(?<constraint>[^`]+)` constraint violation on table `(?<table>[^`]+)`\. Cannot find referenced key `(?<key>[^`]*)`/s,
    failure: foreignKeyViolation('referencing'),
  },
  {
    name: 'foreign key, missing parent (production)',
    text: /^Foreign key constraint `(?<constraint>[^`]+)` is violated on table `(?<table>[^`]+)`/s,
    failure: foreignKeyViolation('referencing'),
  },
  {
    name: 'foreign key, child left (emulator)',
    text: /^Foreign key `(?<constraint>[^`]+)` constraint violation when deleting or updating referenced key `(?<key>[^`]*)` in table `[^`]+`\. A row with that key exists in the referencing table `(?<table>[^`]+)`/s,
    failure: foreignKeyViolation('referenced'),
  },
  {
    name: 'foreign key, child left (production)',
    text: /^Foreign key constraint violation when deleting or updating referenced row\(s\): referencing row\(s\) found in table `(?<table>[^`]+)`/s,
    failure: foreignKeyViolation('referenced'),
  },
  {
    name: 'interleaved table, missing parent (emulator)',
    codes: [NOT_FOUND],
    text: /^Insert failed because key was not found in parent table:\s+Parent Table: \S+\s+Child Table: (?<table>\S+)\s+Key: (?<key>\{.*\})/s,
    failure: interleavingViolation('referencing'),
  },
  {
    name: 'interleaved table, missing parent (production)',
    codes: [NOT_FOUND],
    text: /^Parent row for row (?<key>\[.*\]) in table (?<table>\S+) is missing/s,
    failure: interleavingViolation('referencing'),
  },
  {
    name: 'interleaved table, child left (emulator)',
    codes: [FAILED_PRECONDITION],
    text: /^Delete failed because one or more keys exist within the child table:\s+Parent Table: \S+\s+Child Table: (?<table>\S+)\s+Key: (?<key>\{.*\})/s,
    failure: interleavingViolation('referenced'),
  },
  {
    name: 'interleaved table, child left (production)',
    codes: [FAILED_PRECONDITION],
    text: /^Integrity constraint violation during DELETE\/REPLACE\. Found child row (?<key>\[.*\]) in table (?<table>\S+?)\.?$/s,
    failure: interleavingViolation('referenced'),
  },
  {
    name: 'not null (emulator)',
    text: /^Cannot specify a null value for column: (?:.*\.)?(?<column>[^.\s]+) in table: (?<table>\S+)/s,
    failure: notNullViolation,
  },
  {
    name: 'not null (production)',
    codes: [FAILED_PRECONDITION],
    text: /^(?:The )?(?<column>\S+) must not be NULL in table (?<table>\S+?)\.?$/s,
    failure: notNullViolation,
  },
  {
    name: 'not null left out (production)',
    text: /does not specify a non-null value for (?:these )?NOT NULL columns?:?\s*(?<column>[^\s,.]+)?/s,
    failure: notNullViolation,
  },
  {
    name: 'check (both)',
    codes: [OUT_OF_RANGE, FAILED_PRECONDITION],
    text: /^Check constraint `(?<table>[^`]+)`\.`(?<constraint>[^`]+)` is violated/s,
    failure: checkViolation,
  },
  {
    name: 'too long for the column',
    text: /^New value exceeds the maximum size limit for this column: (?<table>.+)\.(?<column>[^.,]+), size: \d+, limit: (?<limit>\d+)/s,
    failure: ({ table, column, limit }) =>
      present({
        kind: 'string-too-long',
        table,
        column,
        limit: limit === undefined ? undefined : Number(limit),
      }),
  },
  {
    name: 'too long for a shorter column',
    codes: [FAILED_PRECONDITION],
    text: /^Reducing the length of column (?<column>\S+) to (?<limit>\d+) is not allowed because it has a value/s,
    failure: ({ column, limit }) =>
      present({
        kind: 'string-too-long',
        column,
        limit: limit === undefined ? undefined : Number(limit),
      }),
  },
  {
    name: 'generated column',
    text: /^(?:Cannot write into generated column|Cannot insert into column "[^"]*", which is a non-writable column|Cannot UPDATE value on non-writable column)/s,
    failure: sql('428C9'),
  },
]
