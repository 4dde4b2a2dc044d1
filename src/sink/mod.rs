//! Where rows go: one table, in one of five modes; or a file.
//!
//! - `mode`:    append, insert-ignore, upsert, mirror, replace
//! - `duplicates`: rows of the input with one key
//! - `indexes`: what becomes of the indexes of a table that is replaced
//! - `destination`: a table or a file, as declared and as found
//! - `file`:    CSV and NDJSON, exactly once without a transaction
//! - `target`:  what is declared of the table
//! - `fit`:     the declared columns held against the catalog's
//! - `table`:   the table as it was found, and what is written into it
//! - `portion`: the packed rows of a batch
//! - `buckets`: how many there are, and what makes them fit for merging
//! - `direct`:  batches of new keys, loaded straight into the table
//! - `apart`:   batches whose keys no other can have, upserted straight into the table
//! - `notes`:   the keys of those, for batches that are staged
//! - `together`: batches that share a transaction
//! - `staging`: the rows of a batch as they are staged
//! - `staged`:  the merge of staged rows; `refusals`: where the database refuses some of them
//! - `at_once`: a replacement that is one statement
//! - `rebuilt`: a replacement that builds the indexes anew
//! - `counted`: what is staged, counted and listed
//! - `repeats`: staged rows whose key came before
//! - `rules`:   what the catalog says of the rows that a table takes
//! - `kept`:    what was staged of rows that were refused
//! - `lately`:  how the last batches of a run fared
//! - `isolate`: finding the rows that the database refuses
//! - `suspects`: where it does not name them, or there are many
//! - `one_by_one`: rows of which some are refused by what no query finds
//! - `again`:   rows that were rejected, stored after all
//! - `user`:    who writes, by name
//! - `verdict`: staged rows held against the constraints of their table
//!
//! `append` loads a batch straight into the table, unless something is declared of its duplicates.
//! The other modes load it into the job's stage and merge later, bucket by bucket: all rows of a key are
//! in one bucket, so the order of the input decides which of them counts, whatever the workers do, and two
//! workers never meet on a key.
//!
//! ```text
//!               load (parallel)         merge (parallel)          finish (one transaction)
//! append        batch -> table          -                         -
//! insert-ignore batch -> stage          bucket -> table           deferred rows
//! upsert        batch -> stage          bucket -> table           deferred rows
//! mirror        batch -> stage          bucket -> table           delete what is not named, deferred rows
//! replace       batch -> stage          -                         delete all, stage -> table at once, or
//!                                                                 bucket after bucket if a row is refused;
//!                                                                 or without its indexes, built behind it
//! ```
//!
//! A sink runs inside a transaction that somebody else begins and commits. It never opens one,
//! never retries, and knows nothing of the ledger.

mod again;
mod apart;
mod at_once;
mod buckets;
mod counted;
pub mod destination;
mod direct;
pub mod duplicates;
pub mod file;
pub mod fit;
pub mod indexes;
mod isolate;
mod kept;
mod lately;
pub mod mode;
mod notes;
mod one_by_one;
pub mod portion;
mod rebuilt;
mod refusals;
pub mod repeats;
mod rules;
mod staged;
mod staging;
mod suspects;
pub mod table;
pub mod target;
pub(crate) mod together;
pub(crate) mod user;
mod verdict;
