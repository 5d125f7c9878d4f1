/** Spanner's type codes that this product reads or writes, with their numbers in google.spanner.v1.TypeCode. */
export const TYPE_CODE = {
  BOOL: 1,
  INT64: 2,
  FLOAT64: 3,
  TIMESTAMP: 4,
  DATE: 5,
  STRING: 6,
  BYTES: 7,
  ARRAY: 8,
  NUMERIC: 10,
  JSON: 11,
  FLOAT32: 15,
  INTERVAL: 16,
  UUID: 17,
} as const

export type SpannerTypeCode = keyof typeof TYPE_CODE

/** google.spanner.v1.TypeAnnotationCode. */
export const TYPE_ANNOTATION = { PG_NUMERIC: 2, PG_JSONB: 3, PG_OID: 4 } as const

export type SpannerTypeAnnotation = keyof typeof TYPE_ANNOTATION

/** google.spanner.v1.Type, without STRUCT and PROTO, which the PostgreSQL dialect does not have. */
export interface SpannerType {
  readonly code: SpannerTypeCode
  readonly annotation?: SpannerTypeAnnotation | undefined
  /** The type of the elements where `code` is ARRAY. */
  readonly element?: SpannerType | undefined
}

/**
 * One encoded google.protobuf.Value message (its bytes, without tag and length of a surrounding field): the form in which
 * values cross the port in both directions, so that a row never becomes JavaScript objects on its way to the client.
 * INT64, NUMERIC, STRING, JSON, DATE and TIMESTAMP (RFC 3339, Z) are string_value, BYTES is base64 in string_value, BOOL
 * bool_value, FLOAT64 and FLOAT32 number_value ("NaN", "Infinity", "-Infinity" as string_value), ARRAY list_value, SQL NULL
 * null_value (google.spanner.v1.TypeCode).
 */
export type EncodedValue = Buffer
