//! Rows in pages, each of which knows where the next one begins.

use super::query::read_row;
use super::run;
use crate::engine::Executor;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{PageToken, Query};
use std::fmt;

/// Some rows of a query, and the place behind them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page<R> {
    /// The rows.
    pub rows: Vec<R>,
    /// Where the next page begins; `None` if this one is the last.
    pub next: Option<PageToken>,
}

/// All pages of a query, one after the other: what [`Query::pages`] makes.
pub struct Pages<'a, S, R, X> {
    query: Query<S, R>,
    on: &'a X,
    size: u64,
    next: Option<PageToken>,
    ended: bool,
}

#[track_caller]
pub(super) fn read<S, R>(
    query: &Query<S, R>,
    on: &impl Executor,
    size: u64,
    after: Option<&PageToken>,
) -> Result<Page<R>> {
    if size == 0 {
        return Err(Error::new(ErrorKind::Config, "a page has no rows: its size is 0"));
    }
    let mut select = query.select.clone();
    // One more than wanted tells whether there is another page.
    select.page(size.saturating_add(1), after)?;
    let keys = select.extra.len();
    let mut page = Page { rows: Vec::new(), next: None };
    let mut last = None;
    let build = |dialect| crate::query::render::select(&select, dialect);
    run::query(on, query.intent(), build, &mut |row| {
        if page.rows.len() as u64 == size {
            page.next = last.take();
            return Ok(());
        }
        page.rows.push(read_row(row, &query.read)?);
        if page.rows.len() as u64 == size {
            let cells = (row.len() - keys..row.len()).map(|index| row.cell(index));
            last = Some(PageToken::of(cells)?);
        }
        Ok(())
    })?;
    Ok(page)
}

impl<'a, S, R, X> Pages<'a, S, R, X> {
    pub(super) fn new(query: Query<S, R>, on: &'a X, size: u64) -> Self {
        Self { query, on, size, next: None, ended: false }
    }
}

impl<S, R, X: Executor> Iterator for Pages<'_, S, R, X> {
    type Item = Result<Vec<R>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let page = self.query.page(self.on, self.size, self.next.as_ref());
        match page {
            Ok(page) => {
                self.ended = page.next.is_none();
                self.next = page.next;
                (!page.rows.is_empty()).then_some(Ok(page.rows))
            }
            Err(error) => {
                self.ended = true;
                Some(Err(error))
            }
        }
    }
}

impl<S, R, X> fmt::Debug for Pages<'_, S, R, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("query", &self.query).field("size", &self.size).finish()
    }
}
