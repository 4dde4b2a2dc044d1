//! Finds the wanted values in a line, as they are written there.

use super::fault::Fault;
use super::wanted::{Child, Wanted};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;
use std::fmt;

/// Finds the wanted values of the object that `line` is, for each column the text of the value in
/// JSON; `None` where there is no such key.
pub(super) fn find<'a>(
    line: &'a str,
    wanted: &Wanted,
    found: &mut [Option<&'a str>],
) -> Result<(), Fault> {
    found.fill(None);
    let mut twice = None;
    let mut parser = serde_json::Deserializer::from_str(line);
    let object = Object { wanted, found, twice: &mut twice };
    let read = parser.deserialize_map(object).and_then(|()| parser.end());
    match (twice, read) {
        (Some(key), _) => Err(Fault::Twice(key)),
        (None, Ok(())) => Ok(()),
        (None, Err(_)) if is_blank(line) => Err(Fault::Blank),
        (None, Err(error)) => Err(Fault::of(&error)),
    }
}

fn is_blank(line: &str) -> bool {
    line.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// Reads an object or an array in which values are wanted.
struct Object<'a, 'w, 'f> {
    wanted: &'w Wanted,
    found: &'f mut [Option<&'a str>],
    /// The key that stands twice, when reading fails for that.
    twice: &'f mut Option<String>,
}

impl<'a> Object<'a, '_, '_> {
    fn take<E: serde::de::Error>(&mut self, child: &Child, text: &'a str) -> Result<(), E> {
        for column in &child.columns {
            self.found[*column] = Some(text);
        }
        if child.below.is_empty() {
            return Ok(());
        }
        // Below, it is as deep as the paths of the job, whatever the line is.
        let below = Object { wanted: &child.below, found: self.found, twice: self.twice };
        let mut parser = serde_json::Deserializer::from_str(text);
        let read = match text.as_bytes().first() {
            Some(b'{') => parser.deserialize_map(below),
            Some(b'[') => parser.deserialize_seq(below),
            // Where there is nothing below, all that is wanted there is missing.
            _ => Ok(()),
        };
        read.map_err(|_| E::custom("a value within"))
    }
}

impl<'a> Visitor<'a> for Object<'a, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(mut self, mut map: M) -> Result<(), M::Error> {
        let wanted = self.wanted;
        let mut seen = vec![false; wanted.children.len()];
        let mut likely = 0;
        while let Some(place) = map.next_key_seed(Key { wanted, likely })? {
            let Some(place) = place else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let child = &wanted.children[place];
            if std::mem::replace(&mut seen[place], true) {
                *self.twice = Some(child.key.clone());
                return Err(M::Error::custom("a key twice"));
            }
            let text: &RawValue = map.next_value()?;
            self.take(child, text.get())?;
            likely = place + 1;
        }
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'a>>(mut self, mut sequence: S) -> Result<(), S::Error> {
        let wanted = self.wanted;
        let mut index = 0_u64;
        while let Some(text) = sequence.next_element::<&RawValue>()? {
            // A pointer counts elements from 0, without leading zeros.
            if let Some(place) = wanted.find(&index.to_string(), 0) {
                self.take(&wanted.children[place], text.get())?;
            }
            index += 1;
        }
        Ok(())
    }
}

/// Reads a key, without copying it where it has no escapes.
struct Key<'w> {
    wanted: &'w Wanted,
    likely: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.wanted.find(key, self.likely))
    }
}

#[cfg(test)]
mod tests {
    use super::super::wanted::path;
    use super::*;

    fn read<'a>(line: &'a str, paths: &[&str]) -> Result<Vec<Option<&'a str>>, Fault> {
        let mut wanted = Wanted::default();
        for (column, text) in paths.iter().enumerate() {
            wanted.add(&path(text).unwrap(), column);
        }
        let mut found = vec![Some("left over"); paths.len()];
        find(line, &wanted, &mut found).map(|()| found)
    }

    #[test]
    fn values_are_found_as_they_are_written() {
        let line = r#" {"n": 1.10e2 ,"s":"\u00e9","o":{"x":[1, {"y":null}],"s":"in"},"z":[]} "#;
        let found = read(line, &["n", "s", "o", "/o/x/1/y", "/o/x/0", "/o/s", "/s/x", "none", "z"]);
        let expected = [
            Some("1.10e2"),
            Some(r#""\u00e9""#),
            Some(r#"{"x":[1, {"y":null}],"s":"in"}"#),
            Some("null"),
            Some("1"),
            Some("\"in\""),
            None,
            None,
            Some("[]"),
        ];
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn a_key_is_the_same_however_it_is_escaped() {
        assert_eq!(read(r#"{"\u0061b":1}"#, &["ab"]).unwrap(), [Some("1")]);
        let fault = read(r#"{"ab":1,"\u0061b":2}"#, &["ab"]).unwrap_err();
        assert_eq!(fault, Fault::Twice("ab".to_owned()));
    }

    #[test]
    fn a_wanted_key_that_stands_twice_refuses_the_line_and_others_do_not() {
        let line = r#"{"a":{"b":1,"b":2},"c":1,"c":2}"#;
        assert_eq!(read(line, &["/a/b"]).unwrap_err(), Fault::Twice("b".to_owned()));
        assert_eq!(read(line, &["c"]).unwrap_err(), Fault::Twice("c".to_owned()));
        assert!(read(line, &["a"]).is_ok());
    }

    #[test]
    fn what_is_not_one_object_is_refused_without_its_values() {
        for line in [
            "",
            " \t\r",
            "[1]",
            "\"secret\"",
            "7",
            "null",
            "{",
            "{\"a\":1",
            "{\"a\":1}}",
            "{} {}",
            "{\"a\":secret}",
            "{'a':1}",
            "{\"a\":1,}",
            "{\"a\":01}",
            "{\"a\":\"secret\n\"}",
            "nul",
            "{\"a\":\"\\x\"}",
            "{\"b\":tru}",
            "{1:2}",
            "{\"a\":1}\r{\"a\":2}",
            "{\"a\":NaN}",
        ] {
            let error = read(line, &["a"]).unwrap_err().error();
            assert!(!error.to_string().contains("secret"), "{error}");
            assert!(error.is_data(), "{line:?}: {error}");
        }
    }

    #[test]
    fn nesting_costs_no_stack() {
        let deep = format!("{{\"a\":{}{},\"b\":1}}", "[".repeat(1 << 20), "]".repeat(1 << 20));
        assert_eq!(read(&deep, &["b"]).unwrap(), [Some("1")]);
        assert_eq!(read(&deep, &["a", "/a/0/0"]).unwrap()[0].unwrap().len(), 2 << 20);
        let open = format!("{{\"a\":{}", "{\"a\":".repeat(1 << 20));
        assert!(read(&open, &["a"]).is_err());
    }
}
