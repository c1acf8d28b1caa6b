//! Tests of the import as a whole.
