//! What can be typed behind `rowmill shards`.

use clap::{Args, Subcommand};

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
