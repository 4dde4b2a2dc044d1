//! What can be typed behind `rowmill shards`.

use clap::{Args, Subcommand};
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum ShardsCommand {
    /// Shows the newest map that is stored, and whether each shard has it
    Map {
        #[command(flatten)]
        shards: ShardsArguments,
    },
    /// Counts the rows of tables on each shard, and shows how evenly they are spread
    Rows {
        /// The tables, as TABLE or SCHEMA.TABLE
        #[arg(value_name = "TABLE", required = true)]
        tables: Vec<String>,
        #[command(flatten)]
        shards: ShardsArguments,
    },
    /// Stores the next version of the map on every shard, and moves no row; goes on where it was
    /// interrupted
    Publish {
        /// The file of the map, as `rowmill shards map --json` prints it
        #[arg(value_name = "MAP.json")]
        map: PathBuf,
        /// Also where keys get another shard: their rows are there already, or there are none
        #[arg(long)]
        rows_moved: bool,
        #[command(flatten)]
        shards: ShardsArguments,
    },
    /// Moves buckets to another shard while others read and write; goes on where it was interrupted
    Move(MoveArguments),
    /// Shows where a move of buckets stands, or how the last one ended
    Status {
        #[command(flatten)]
        shards: ShardsArguments,
    },
    /// Takes back a move of buckets that has not switched to its map yet
    Cancel {
        #[command(flatten)]
        shards: ShardsArguments,
    },
    /// Lists the transactions of writes in two phases that were prepared and not ended
    Prepared {
        #[command(flatten)]
        shards: ShardsArguments,
    },
    /// Ends those of a name as was decided; where nothing was, rolls them back for good
    Resolve {
        /// The name of the write
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        shards: ShardsArguments,
    },
}

/// Which buckets go where. Without any of it, the move that is under way goes on.
#[derive(Args, Debug)]
pub(super) struct MoveArguments {
    /// Gives a new shard its share of the buckets
    #[arg(long, value_name = "NAME", conflicts_with_all = ["map", "buckets"])]
    pub(super) add: Option<String>,
    /// Takes the next map from a file
    #[arg(long, value_name = "MAP.json", conflicts_with = "buckets")]
    pub(super) map: Option<PathBuf>,
    /// Gives these buckets to one shard: numbers and ranges, as 0-99,500
    #[arg(long, value_name = "BUCKETS", requires = "to")]
    pub(super) buckets: Option<String>,
    /// Which shard that is
    #[arg(long, value_name = "NAME", requires = "buckets")]
    pub(super) to: Option<String>,
    /// A table that is spread by the map, and its shard key; given once for each, those that are
    /// referred to before those that refer to them
    #[arg(long = "table", value_name = "TABLE=COLUMN")]
    pub(super) tables: Vec<String>,
    /// How many batches are copied at once
    #[arg(long, value_name = "N")]
    pub(super) workers: Option<NonZeroUsize>,
    /// How many rows are read for a batch
    #[arg(long, value_name = "N")]
    pub(super) batch_rows: Option<NonZeroU64>,
    #[command(flatten)]
    pub(super) shards: ShardsArguments,
}

/// Which databases are the shards.
#[derive(Args, Clone)]
pub(super) struct ShardsArguments {
    /// The name of a shard and its URL; given once for each [default: those of the environment,
    /// `ROWMILL_SHARDS`, with blanks between them]
    #[arg(long = "shard", value_name = "NAME=URL")]
    pub(super) shards: Vec<String>,
    /// Prints JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl std::fmt::Debug for ShardsArguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URLs may contain passwords.
        f.debug_struct("ShardsArguments").field("json", &self.json).finish_non_exhaustive()
    }
}
