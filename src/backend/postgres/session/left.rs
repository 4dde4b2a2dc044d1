//! What the statements of a borrower may have left, as far as their texts tell.

use super::code::knowledge::Knowledge;
use super::traces::Traces;
use crate::backend::postgres::wire::tags::Tags;

/// What the statements since the last reset may have left.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a list of yes and no, each on its own")]
pub(crate) struct Left {
    /// A text says so.
    pub(crate) session: bool,
    /// A text has the name of something that may change the session by itself.
    pub(crate) doubt: bool,
    /// Nothing was known of such things when a statement ran.
    pub(crate) unjudged: bool,
    /// Something was created that may run by itself.
    pub(crate) creates: bool,
    /// Anything ran at all.
    pub(crate) ran: bool,
    /// The tags that are no surprise.
    pub(crate) explained: Tags,
}

impl Left {
    /// Notes a text that is going to run.
    pub(crate) fn note(&mut self, sql: &str, traces: Traces, knowledge: Option<&Knowledge>) {
        self.session |= traces.session;
        self.explained = self.explained.with(traces.explained);
        let Some(knowledge) = knowledge else { return };
        self.ran = true;
        if traces.creates {
            self.creates = true;
            knowledge.forget();
        }
        match knowledge.reach() {
            Some(reach) => self.doubt |= !self.session && !self.doubt && reach.may_run(sql),
            None => self.unjudged = true,
        }
    }

    /// Notes a load into a table.
    pub(crate) fn note_load(&mut self, table: &str, knowledge: &Knowledge) {
        self.ran = true;
        match knowledge.reach() {
            Some(reach) => self.doubt |= reach.has(table),
            None => self.unjudged = true,
        }
    }
}
