//! What is done after the commit that completes a job; nothing of it decides whether it is complete.

use super::context::Context;
use crate::sink::destination::Sink;
use crate::sink::table::TableSink;
use crate::stop::Stop;
use crate::trace;

/// Tells of indexes that were kept, and freezes a table that was emptied at once or created.
pub(super) fn follow_up(context: &Context<'_>) {
    let Sink::Table(table) = &context.sink else { return };
    if let Some(why) = table.kept_indexes() {
        context.patience.observer.indexes_kept(why);
    }
    freeze(context, table);
}

/// Freezes the new rows, unless the run has to end. What does not work now the database does by itself, later.
fn freeze(context: &Context<'_>, table: &TableSink) {
    let patience = context.patience;
    let Some(sql) = table.freezing().filter(|_| patience.ending.asked() == Stop::No) else {
        return;
    };
    let frozen = patience.engine.get().and_then(|mut connection| {
        let _in_flight = patience.ending.enter(connection.interrupt());
        connection.run(&sql)
    });
    if let Err(error) = frozen {
        trace::warn(format_args!("the rows of a table that has no others are not frozen: {error}"));
    }
}
