//! The integration tests: one binary, one file per behaviour, names are sentences.
//!
//! Where a new test goes: to the file of its behaviour, 30 to 150 lines; a bug goes to
//! `regressions.rs` first. Pure parts (paper, words) have their tests at the bottom of their own
//! source file instead.
//!
//! What a test may use is in [`support`]: a private PostgreSQL server, a database of its own, gates
//! instead of sleeps, the built command, and data. Every helper that waits has a time limit.
//! Run with `tests/run`, or `cargo test --all-features --test it -- <words of the name>`. Under
//! `cargo nextest` each test is a process and starts a server of its own: it works, slowly.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs,
    reason = "a test fails by panicking, and a test crate exports nothing"
)]

mod support;

// The house: what holds for the tree as a whole.
mod clauses; // every clause of the contract of batches is named by a test
mod examples; // what is shown is run
mod guide; // for who comes from Python: what is shown is run, on both databases
mod layering; // who may know whom, one door per foreign crate, sizes of files
mod peers_versions; // what rowmill is measured beside can be built again
mod support_works; // the helpers themselves: a helper that is wrong makes every test wrong

// Paper: what is held against a real server all the same, and the derives.
mod derive_ui;
mod entity;
mod schema_shape; // what an entity says of its table
mod text_input; // texts become values as the server's own input makes them

// Paper: every Rust type goes to both databases and comes back. types_*.rs
mod types_composites; // composite types, and what an unknown type says
mod types_enums;
mod types_networks; // addresses, hstore
mod types_newtypes; // types around others, conversions, domains, NUL
mod types_numbers;
mod types_ranges;
mod types_texts;
mod types_times; // and the policy for days that a type does not have

// Drivers: what one connection does. backend_*.rs
mod backend_postgres;
#[cfg(feature = "tls")]
mod backend_tls; // every mode against every kind of server, and who the client is
mod sqlite_backend;

// Wires: pool_*.rs, routing_*.rs, engine_*.rs, sharding_*.rs, observe_*.rs
mod engine_echo; // what an engine tells of its statements
mod engine_flights; // small statements of many threads, sent together
mod engine_options;
#[cfg(feature = "metrics")]
mod observe_metrics; // figures, and their documented names
#[cfg(feature = "tracing")]
mod observe_tracing; // spans and events, and that no value is in them
mod pool_age; // how old a connection may become, for how long it may sleep
mod pool_bounds;
mod pool_budget; // several pools together
mod pool_close;
mod pool_connect;
mod pool_detach;
mod pool_end; // the last handle goes
mod pool_events; // what is told, and the hooks
mod pool_fill; // what is opened without being asked
mod pool_kinds;
mod pool_leak;
mod pool_line;
mod pool_lost; // disconnects, and what follows for the others
mod pool_nested;
mod pool_reset;
mod pool_resize;
mod pool_return;
mod reshard_death; // whoever moves buckets dies, is stopped, or is overtaken
mod reshard_rows; // buckets are moved: every row is where the map says, once
mod reshard_writers; // others write and read while buckets are moved
mod routing_conflict; // a replica cancels a read for the sake of what it replays
mod routing_failover; // promotions, and servers that come back
mod routing_fake; // servers that say what they are told to say
mod routing_read; // which server is read from, and how fresh it is
mod routing_token; // tokens of commits across promotions
mod sharding_fault; // a shard is down, silent, slow, on another map
mod sharding_map; // the map is stored, and whoever has another one is refused
mod sharding_scatter; // a query over shards says what one over one database says
mod sharding_two_phase; // all shards or none, and what is lost in between
mod sharding_write; // a transaction on each shard, and what came of it
mod url_parse;
mod url_secrets;
mod url_tls;

// Faults: fault_*.rs. What happens to the pool when something breaks; each beside plain r2d2. The
// short form runs here, the full size with `tests/faults pool`.
mod fault_batch; // a batch is cut at every place
mod fault_contract; // lines of the contract that need a server
mod fault_crowd; // many threads, and threads that want two
mod fault_dirty; // what is left behind
mod fault_end; // the end of a pool, panics
mod fault_flow; // slow and failing ends of a load; memory
mod fault_job; // a load whose server, network or disk goes
mod fault_lost; // a connection is lost: killed, cut, torn
mod fault_net; // black holes, silence, slow lines
mod fault_process; // async runtimes, children, no descriptors left
mod fault_resources; // no session left, a full disk, limits of the server
mod fault_restart; // the server goes away, comes back, refuses
mod fault_watch; // long loans are told of, sleeping connections kept alive

// Work: query_*.rs (fetch), store_*.rs, session_*.rs, relations_*.rs, csv_*.rs (source), sink_*.rs
mod csv_source; // a CSV file, against what COPY makes of it
mod files_source; // several files, compressed files, standard input
mod ndjson_source; // JSON objects, against what the server makes of them
#[cfg(feature = "parquet")]
mod parquet_files; // Parquet, as a source and as a target
mod query_change; // updates and deletions
mod query_join;
mod query_lock; // rows that are locked; a queue of work
mod query_page;
mod query_read; // filters, orders, groups; each against SQL that was written by hand
mod query_sql; // SQL as it is written
mod query_stream; // rows in constant memory, and dropped before their end
mod query_value; // cases, fragments, counts of children
mod query_with; // queries that read from queries with a name
mod relations_load; // what belongs to many rows, in one query
mod schema_create; // tables from entities
mod schema_migrate; // SQL files, each once and in order
#[cfg(all(feature = "chrono", feature = "jiff", feature = "uuid"))]
mod schema_source; // entities from tables
mod schema_verify; // entities against the catalog
mod session_conflict; // deadlocks and write skew, with and without another attempt
mod session_lock; // locks that have a name
mod session_query; // rows become objects
mod session_read_only;
mod session_retry; // a closure that is run again, and never once its COMMIT may have held
mod session_timeout; // the time-outs of a transaction strike
mod session_transaction;
mod session_unit_flush; // few statements, parents first
mod session_unit_model; // random work, against a plain map
mod session_unit_undo; // what is rolled back is undone in the objects
mod session_unit_work; // what a session looks after
mod sink_file; // CSV and NDJSON files, against what COPY and row_to_json make of the same rows
mod store_many; // many entities at a time: few statements, all or none
mod store_single; // one entity at a time
mod store_types; // values of every type, in whatever form rows travel
mod store_upsert; // upserts of rows that are guessed to be there, or new
mod table_source; // a table, or a query, as a source

// Flow: job_*.rs (kill and restart, rejects, exactly once, memory, serial twin)
mod job_apart; // batches whose keys no other can have, upserted straight into the table
mod job_change; // a job that is not what it was
mod job_commit; // a COMMIT whose answer is lost
#[cfg(feature = "cli")]
mod job_deadline; // a run ends in time
mod job_death; // its process dies before any message, with its server, or is asked to end
mod job_direct; // batches of new keys go straight into the table, and nothing else is different
mod job_drift; // the table changes while a job writes to it
#[cfg(feature = "cli")]
mod job_duplicates; // rows of the input with one key, by the stated policy
mod job_errors; // every SQLSTATE does what its class says
mod job_footprint; // what a run writes into the ledger, and leaves in the server
#[cfg(feature = "cli")]
mod job_group; // batches that share a transaction
mod job_group_upsert; // the same of an upsert
mod job_join; // several processes on one job
#[cfg(feature = "cli")]
mod job_kill; // kill -9 at random moments
#[cfg(feature = "cli")]
mod job_kill_export; // the same while a file is written
mod job_ledger; // its versions, its place, the rights it takes
#[cfg(feature = "cli")]
mod job_left_locks; // files of locks of runs that were killed
mod job_matrix; // kills, by what is written and by how many workers
#[cfg(feature = "cli")]
mod job_memory; // ten times the rows, the same memory
mod job_modes; // the five modes: exact content, exact counts
#[cfg(feature = "cli")]
mod job_nights; // three nights of real data, through the built command
#[cfg(feature = "cli")]
mod job_once; // one run at a time; signals; changes on the way
mod job_panic; // a closure that panics
mod job_rebuild; // a replacement that builds the indexes anew: locks, deaths, rights
mod job_receipt; // where the time of a run went, and the runs before it
mod job_rejects; // a bad row costs one row
mod job_serial_twin; // parallel and serial: the same result
#[cfg(feature = "cli")]
mod job_server_stop;
#[cfg(feature = "cli")]
mod job_servers; // every version of the server that is at hand
mod job_shards; // each row on its shard, once
mod job_shards_fault; // one of three shards is down, silent, on another map; kills
mod job_statements; // how many statements a job costs beside its rows
mod job_workers; // how many batches are in flight, found by measuring
mod job_zombie;
mod reject_lineage; // a parent's reject explains those of its children
mod reject_replay; // rejects are tried again // what a killed run leaves under way in the server // the server goes away, processes die at exact places

// Door: cli_*.rs, examples.rs
#[cfg(feature = "cli")]
mod cli_bad_input; // one line, at once, and nothing changed
#[cfg(feature = "cli")]
mod cli_entity; // the source of entities
#[cfg(feature = "cli")]
mod cli_guess; // what is guessed is checked and loaded
#[cfg(feature = "cli")]
mod cli_job_shards; // rows of a job file on several databases
#[cfg(feature = "cli")]
mod cli_look; // status and rejects list
#[cfg(feature = "cli")]
mod cli_migrate; // SQL files, applied
mod cli_nodes; // a primary and its replicas
#[cfg(feature = "cli")]
mod cli_rejects; // filters, files, a replay that is killed
#[cfg(all(feature = "cli", feature = "compression", feature = "files"))]
mod cli_rejects_kinds; // replays and files, for every kind of source
#[cfg(feature = "cli")]
mod cli_shards; // the map, the rows, what was left behind
#[cfg(feature = "cli")]
mod cli_table; // a table and a query as sources
#[cfg(feature = "cli")]
mod cli_usage;
#[cfg(feature = "cli")]
mod nightly; // the first command of the manual
