/** Names of the indexes that foreign keys made: `IDX_<table>_<columns>_U_<hash>` for the referenced side, `_N_` for the referencing one. */
export const MANAGED_INDEX = '^IDX_.*_[NU]_[0-9A-F]{16}$'
/** Names that were made up for unnamed constraints. */
export const GENERATED_NAME = '^(CK|FK)_.*_[0-9A-F]{16}_[0-9]+$'
/** Prefix of the foreign key that stands for INTERLEAVE IN PARENT. */
export const INTERLEAVE_PREFIX = '_interleave_'
