//! `[ledger]`: where it is recorded what is done.

use super::section::Section;
use crate::batch::ledger::LedgerName;
use crate::error::Result;

pub(super) fn read(section: Option<&Section<'_>>) -> Result<LedgerName> {
    let Some(section) = section else { return Ok(LedgerName::default()) };
    section.allow_only(&["schema"])?;
    let Some(field) = section.optional("schema") else { return Ok(LedgerName::default()) };
    let name = field.filled_text("the name of a schema")?;
    LedgerName::new(&name).map_err(|error| field.error(error.message()))
}
