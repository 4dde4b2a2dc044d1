//! SQL cut into words and signs, as the server cuts it.

/// A piece of SQL that means something; texts, numbers and operators are all alike here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A keyword, or a name without quotes.
    Word(&'a str),
    /// A name in quotes, without them.
    Quoted(&'a str),
    Open,
    Close,
    Dot,
    Comma,
    Semicolon,
    /// Anything else.
    Other,
}

impl Token<'_> {
    /// Whether it is the word `word`.
    pub(crate) fn is(self, word: &str) -> bool {
        matches!(self, Token::Word(text) if text.eq_ignore_ascii_case(word))
    }

    /// Whether it is one of `words`.
    pub(crate) fn is_any(self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }
}

/// The tokens of a text. It never fails: what is left open reaches to the end.
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn skip_blank(&mut self) {
        loop {
            match self.rest() {
                [b' ' | b'\t' | b'\r' | b'\n' | 0x0c | 0x0b, ..] => self.at += 1,
                [b'-', b'-', ..] => {
                    self.at += find(self.rest(), b"\n").unwrap_or(self.rest().len());
                }
                [b'/', b'*', ..] => self.at += comment(self.rest()),
                _ => return,
            }
        }
    }

    fn word(&mut self) -> Token<'a> {
        let start = self.at;
        let length = self.rest().iter().take_while(|byte| is_inside_word(**byte)).count();
        self.at += length;
        let word = &self.text[start..self.at];
        let is_escape = word.eq_ignore_ascii_case("e");
        match self.rest().first() {
            // E'', B'', X'', N''
            Some(b'\'') if length == 1 => {
                self.at += quoted(self.rest(), b'\'', is_escape);
                Token::Other
            }
            _ => Token::Word(word),
        }
    }

    fn name_in_quotes(&mut self) -> Token<'a> {
        let length = quoted(self.rest(), b'"', false);
        let whole = &self.text[self.at..self.at + length];
        self.at += length;
        Token::Quoted(whole.strip_prefix('"').unwrap_or(whole).trim_end_matches('"'))
    }

    /// `$1`, `$$ ... $$`, `$tag$ ... $tag$`.
    fn dollar(&mut self) -> Token<'a> {
        let tag = 1 + self.rest()[1..].iter().take_while(|byte| is_inside_word(**byte)).count();
        let is_quote = self.rest().get(tag) == Some(&b'$') && !self.rest()[1].is_ascii_digit();
        self.at += if is_quote {
            let (opening, inside) = self.rest().split_at(tag + 1);
            find(inside, opening).map_or(self.rest().len(), |end| end + 2 * opening.len())
        } else {
            tag
        };
        Token::Other
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_blank();
        let first = *self.rest().first()?;
        let sign = match first {
            b'"' => return Some(self.name_in_quotes()),
            b'$' => return Some(self.dollar()),
            b'\'' => {
                self.at += quoted(self.rest(), b'\'', false);
                return Some(Token::Other);
            }
            b'0'..=b'9' => {
                let is_number = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'.';
                self.at += self.rest().iter().take_while(is_number).count();
                return Some(Token::Other);
            }
            byte if is_inside_word(byte) => return Some(self.word()),
            b'(' => Token::Open,
            b')' => Token::Close,
            b'.' => Token::Dot,
            b',' => Token::Comma,
            b';' => Token::Semicolon,
            _ => Token::Other,
        };
        self.at += 1;
        Some(sign)
    }
}

/// Letters of other scripts are letters, too. `$` is one inside of a word, which makes no
/// difference here but to the tags of dollar quotes.
fn is_inside_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}

/// The length of a comment, which can have others inside.
fn comment(text: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0);
    loop {
        match &text[at..] {
            [b'/', b'*', ..] => (at, depth) = (at + 2, depth + 1),
            [b'*', b'/', ..] => {
                (at, depth) = (at + 2, depth - 1);
                if depth == 0 {
                    return at;
                }
            }
            [_, ..] => at += 1,
            [] => return at,
        }
    }
}

/// The length of what stands in quotes, with them; a doubled quote is one of the text.
fn quoted(text: &[u8], quote: u8, has_escapes: bool) -> usize {
    let mut at = 1;
    loop {
        match &text[at.min(text.len())..] {
            [b'\\', ..] if has_escapes => at += 2,
            [a, b, ..] if *a == quote && *b == quote => at += 2,
            [a, ..] if *a == quote => return at + 1,
            [_, ..] => at += 1,
            [] => return text.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(sql: &str) -> Vec<&str> {
        Lexer::new(sql)
            .filter_map(|token| match token {
                Token::Word(word) | Token::Quoted(word) => Some(word),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn texts_and_comments_have_no_words() {
        for (sql, expected) in [
            ("select 'begin; it''s' x", vec!["select", "x"]),
            ("select E'it\\'s' , e'\\\\' y", vec!["select", "y"]),
            ("select 'a\\' z", vec!["select", "z"]),
            ("/* a /* b */ c */ d -- e\nf", vec!["d", "f"]),
            ("$$ a $$ b $x$ $$ c $x$ d $1 e", vec!["b", "d", "e"]),
            ("\"a;\"\"b\" c", vec!["a;\"\"b", "c"]),
            ("1e5 2.5x b", vec!["b"]),
            ("select 'open", vec!["select"]),
            ("/* open", vec![]),
            ("$a$ open", vec![]),
            ("\"open", vec!["open"]),
            ("m\u{fc}hle E'\\", vec!["m\u{fc}hle"]),
            ("$", vec![]),
        ] {
            assert_eq!(words(sql), expected, "{sql}");
        }
    }

    #[test]
    fn signs_are_told_apart() {
        let signs: Vec<_> = Lexer::new("(),.;+").collect();
        assert_eq!(
            signs,
            [Token::Open, Token::Close, Token::Comma, Token::Dot, Token::Semicolon, Token::Other]
        );
    }
}
