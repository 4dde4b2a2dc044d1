//! The names by which a statement can reach what can change a session.

use super::body::{Body, is_odd, name};
use crate::backend::postgres::session::harmless;
use crate::backend::postgres::session::lexer::{Lexer, Token};
use std::collections::{HashMap, HashSet};

/// A number that the catalog gives.
pub(super) type Oid = u32;

/// What the catalog lists.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    /// The functions of users.
    pub(super) functions: HashMap<Oid, UserFunction>,
    /// Where functions are called without being named.
    pub(super) uses: Vec<(Function, User)>,
    /// The relation on the right uses the one on the left: by a view, by a foreign key that writes, or
    /// as a part of itself.
    pub(super) uppers: Vec<(Oid, Oid)>,
    /// The names of relations.
    pub(super) relations: HashMap<Oid, String>,
}

/// A function of users.
#[derive(Debug)]
pub(super) struct UserFunction {
    pub(super) name: String,
    pub(super) body: Body,
    /// It can be called as if it were a column of a row.
    pub(super) is_column: bool,
}

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    /// One of the server's own that change a session.
    BuiltIn,
    /// One of users.
    Own(Oid),
}

/// Who calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum User {
    /// A trigger, a view, a rule, a default, a constraint, a policy or an index of a relation.
    Relation(Oid),
    /// Another function.
    Function(Oid),
    /// What is done to a definition.
    Definition,
    /// What can stand anywhere: an operator, a cast, a type.
    Anything,
}

/// The names by which a statement can reach what can change a session.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Any statement can, whatever names it has.
    anywhere: bool,
    /// Any statement can that defines something.
    defining: bool,
    names: HashSet<String>,
}

/// The longest name; the server cuts longer ones.
const LONGEST: usize = 63;

/// They run nothing but what statements before them left for the end of the transaction.
const INERT: &[&str] = &[
    "BEGIN",
    "START",
    "COMMIT",
    "END",
    "ROLLBACK",
    "ABORT",
    "SAVEPOINT",
    "RELEASE",
    "SHOW",
    "SET",
    "LOCK",
    "CHECKPOINT",
    "NOTIFY",
    "UNLISTEN",
    "FETCH",
    "MOVE",
    "CLOSE",
];

/// They define nothing.
const DATA: &[&str] = &[
    "SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "EXPLAIN",
    "DECLARE", "TRUNCATE",
];

impl Reach {
    /// Where nothing is known, anything can.
    pub(crate) fn anywhere() -> Self {
        Self { anywhere: true, ..Self::default() }
    }

    pub(super) fn of(inventory: &Inventory) -> Self {
        let mut spread = Spread::over(inventory);
        for (oid, function) in &inventory.functions {
            if function.body.changes {
                spread.add_function(*oid);
            }
        }
        spread.follow(|function| function == Function::BuiltIn);
        while spread.step() {}
        let is_plain = |name: &String| name.len() < LONGEST && !name.contains('"');
        // Names that cannot be compared.
        spread.reach.anywhere |= !spread.names.iter().all(is_plain);
        spread.reach
    }

    /// Whether no statement can.
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether what has this name can.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.anywhere || self.names.contains(name)
    }

    /// Whether a text of statements can.
    pub(crate) fn may_run(&self, sql: &str) -> bool {
        if self.is_nothing() {
            return false;
        }
        let (mut first, mut before) = (true, Token::Other);
        for token in Lexer::new(sql) {
            if name(token).is_some_and(|name| self.names.contains(&name)) {
                return true;
            }
            if first && token != Token::Semicolon && token != Token::Open {
                first = false;
                let is_inert = token.is_any(INERT);
                let defines = !is_inert && !token.is_any(DATA);
                if (self.anywhere && !is_inert) || (self.defining && defines) {
                    return true;
                }
            }
            // `SELECT ... INTO` defines a table.
            if self.defining && token.is("INTO") && !before.is_any(&["INSERT", "MERGE"]) {
                return true;
            }
            first |= token == Token::Semicolon;
            before = token;
        }
        is_odd(sql)
    }
}

/// What was found so far to be able to change a session.
struct Spread<'a> {
    inventory: &'a Inventory,
    functions: HashSet<Oid>,
    relations: HashSet<Oid>,
    /// The names of all of them.
    names: HashSet<String>,
    reach: Reach,
}

impl<'a> Spread<'a> {
    fn over(inventory: &'a Inventory) -> Self {
        let (functions, relations) = (HashSet::new(), HashSet::new());
        Self { inventory, functions, relations, names: HashSet::new(), reach: Reach::default() }
    }

    /// Where a statement calls a function by parentheses, its text tells already.
    fn add_function(&mut self, oid: Oid) -> bool {
        if let Some(function) = self.inventory.functions.get(&oid) {
            self.names.insert(function.name.clone());
            if function.is_column || harmless::is(&function.name) {
                self.reach.names.insert(function.name.clone());
            }
        }
        self.functions.insert(oid)
    }

    fn add_relation(&mut self, oid: Oid) -> bool {
        if let Some(name) = self.inventory.relations.get(&oid) {
            self.names.insert(name.clone());
            self.reach.names.insert(name.clone());
        } else {
            // It was dropped meanwhile.
            self.reach.anywhere = true;
        }
        self.relations.insert(oid)
    }

    /// Adds those who call such a function; says whether there is a new one.
    fn follow(&mut self, is_such: impl Fn(Function) -> bool) -> bool {
        let mut is_new = false;
        for (_, user) in self.inventory.uses.iter().filter(|(function, _)| is_such(*function)) {
            is_new |= match *user {
                User::Relation(oid) => self.add_relation(oid),
                User::Function(oid) => self.add_function(oid),
                User::Definition => !std::mem::replace(&mut self.reach.defining, true),
                User::Anything => !std::mem::replace(&mut self.reach.anywhere, true),
            };
        }
        is_new
    }

    /// One step further; says whether there was one.
    fn step(&mut self) -> bool {
        let inventory = self.inventory;
        let functions = self.functions.clone();
        let mut is_new = self
            .follow(|function| matches!(function, Function::Own(oid) if functions.contains(&oid)));
        for (lower, upper) in &inventory.uppers {
            if self.relations.contains(lower) {
                is_new |= self.add_relation(*upper);
            }
        }
        for (oid, function) in &inventory.functions {
            if !self.functions.contains(oid) && !function.body.names.is_disjoint(&self.names) {
                is_new |= self.add_function(*oid);
            }
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Functions 1, 2, ... are `f1`, `f2`, ...; relations likewise `t1`, ...
    fn inventory(bodies: &[&str], uses: &[(Function, User)], uppers: &[(Oid, Oid)]) -> Inventory {
        let function = |(at, text): (usize, &&str)| {
            let name = format!("f{}", at + 1);
            (at as Oid + 1, UserFunction { name, body: Body::of(Some(text)), is_column: true })
        };
        Inventory {
            functions: bodies.iter().enumerate().map(function).collect(),
            uses: uses.to_vec(),
            uppers: uppers.to_vec(),
            relations: (1..9).map(|oid| (oid, format!("t{oid}"))).collect(),
        }
    }

    const LOCKS: &str = "begin perform pg_advisory_lock(1); return new; end";
    const QUIET: &str = "begin return new; end";

    #[test]
    fn a_table_whose_triggers_keep_to_their_transaction_is_reached_by_nobody() {
        let uses = [(Function::Own(1), User::Relation(1))];
        assert!(Reach::of(&inventory(&[QUIET], &uses, &[])).is_nothing());
        assert!(!Reach::default().may_run("insert into t1 values (1)"));
    }

    #[test]
    fn a_statement_is_in_doubt_by_the_name_of_what_it_touches() {
        let uses = [(Function::Own(1), User::Relation(1)), (Function::Own(2), User::Relation(2))];
        let reach = Reach::of(&inventory(&[LOCKS, QUIET], &uses, &[]));
        for sql in [
            "insert into T1 values (1)",
            "delete from \"x\".\"t1\"",
            "select f1 from x",
            "(table t1)",
        ] {
            assert!(reach.may_run(sql), "{sql}");
        }
        for sql in ["insert into t2 values (1)", "select 't1'", "commit", "select \"T1\".a"] {
            assert!(!reach.may_run(sql), "{sql}");
        }
        assert!(reach.may_run("select U&\"t\\0031\""));
        assert!(reach.has("t1") && !reach.has("t2"));
    }

    #[test]
    fn doubt_spreads_from_callee_to_caller() {
        let by_name = "begin perform f1(); return new; end";
        let by_table = "begin insert into t1 values (1); return new; end";
        let uses = [
            (Function::Own(2), User::Relation(1)),
            (Function::Own(3), User::Relation(3)),
            (Function::Own(3), User::Function(4)),
            (Function::BuiltIn, User::Relation(5)),
        ];
        let uppers = [(1, 2), (5, 6), (7, 8)];
        let reach = Reach::of(&inventory(&[LOCKS, by_name, by_table, QUIET], &uses, &uppers));
        let mut names: Vec<_> = reach.names.iter().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["f1", "f2", "f3", "f4", "t1", "t2", "t3", "t5", "t6"]);
        assert!(!reach.anywhere && !reach.defining);
    }

    #[test]
    fn what_can_stand_anywhere_puts_all_in_doubt_but_the_ends_of_transactions() {
        let reach = Reach::of(&inventory(&[LOCKS], &[(Function::Own(1), User::Anything)], &[]));
        assert!(reach.may_run("select 1") && reach.may_run("begin; (select 1)"));
        assert!(!reach.may_run("begin; savepoint a; show x; commit"));
    }

    #[test]
    fn what_watches_definitions_leaves_data_alone() {
        let reach = Reach::of(&inventory(&[LOCKS], &[(Function::Own(1), User::Definition)], &[]));
        for sql in ["create table x (n int)", "select 1 into x", "drop table x"] {
            assert!(reach.may_run(sql), "{sql}");
        }
        for sql in ["select 1", "insert into x select 1", "begin; truncate x; commit"] {
            assert!(!reach.may_run(sql), "{sql}");
        }
    }

    #[test]
    fn a_function_that_only_parentheses_call_is_found_by_the_text_alone() {
        let mut called = inventory(&[LOCKS], &[], &[]);
        called.functions.get_mut(&1).unwrap().is_column = false;
        assert!(!Reach::of(&called).may_run("select f1 from t"));
        called.functions.get_mut(&1).unwrap().name = "lower".to_owned();
        assert!(Reach::of(&called).may_run("select lower(a) from t"));
    }

    #[test]
    fn names_that_cannot_be_compared_are_everywhere() {
        let mut odd = inventory(&[LOCKS], &[], &[]);
        odd.functions.get_mut(&1).unwrap().name = "f\"1".to_owned();
        assert!(Reach::of(&odd).may_run("select 1"));
        odd.functions.get_mut(&1).unwrap().name = "f".repeat(63);
        assert!(Reach::of(&odd).may_run("select 1"));
    }
}
