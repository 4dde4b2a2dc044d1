//! The paths that a source file names, without a parser: comments and texts are blanked, the rest
//! is cut into words, and every path with `::` in it is followed through its groups.

/// A path and the line on which it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    pub segments: Vec<String>,
    pub line: usize,
}

/// What a file names: paths of this crate from its root, and paths of other crates.
#[derive(Debug, Default)]
pub struct Scan {
    pub inner: Vec<Path>,
    pub foreign: Vec<Path>,
}

struct Token<'a> {
    text: &'a str,
    line: usize,
}

impl Scan {
    /// Scans the text of the file that is `module`.
    pub fn of(text: &str, module: &[String]) -> Self {
        let blanked = blank(text);
        let tokens = tokens(&blanked);
        let mut walk = Walk {
            tokens: &tokens,
            at: 0,
            module: file_module(module),
            nested: Vec::new(),
            depth: 0,
        };
        let mut scan = Self::default();
        let mut local = Vec::new();
        while walk.at < tokens.len() {
            walk.step(&mut scan, &mut local);
        }
        // A name that the file took from this crate, or that is a module in it, is no foreign one.
        scan.foreign.retain(|path| !local.contains(&path.segments[0]));
        scan
    }
}

/// The root's modules count from the root.
fn file_module(module: &[String]) -> Vec<String> {
    match module {
        [only] if only == "lib" || only == "main" => Vec::new(),
        module => module.to_vec(),
    }
}

struct Walk<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    module: Vec<String>,
    /// The brace depths at which modules within the file began.
    nested: Vec<usize>,
    depth: usize,
}

impl Walk<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text)
    }

    fn step(&mut self, scan: &mut Scan, local: &mut Vec<String>) {
        match self.text(self.at) {
            "{" => self.depth += 1,
            "}" => {
                self.depth = self.depth.saturating_sub(1);
                if self.nested.last() == Some(&self.depth) {
                    self.nested.pop();
                    self.module.pop();
                }
            }
            "mod" if is_word(self.text(self.at + 1)) => {
                let name = self.text(self.at + 1).to_owned();
                local.push(name.clone());
                if self.text(self.at + 2) == "{" {
                    self.nested.push(self.depth);
                    self.module.push(name);
                }
                self.at += 2;
                return;
            }
            "use" | "crate" if self.starts_import() => return self.import(scan, local),
            word if is_word(word) && self.text(self.at + 1) == "::" && self.is_root() => {
                return self.path(scan);
            }
            _ => {}
        }
        self.at += 1;
    }

    /// `use ...` and `extern crate ...`, not the word `crate` within a path.
    fn starts_import(&self) -> bool {
        self.text(self.at) == "use" || (self.at > 0 && self.text(self.at - 1) == "extern")
    }

    /// Whether a path begins here: a word after `a::` or `<..>::` goes on with one.
    fn is_root(&self) -> bool {
        if self.at == 0 || self.text(self.at - 1) != "::" {
            return true;
        }
        let before = if self.at < 2 { "" } else { self.text(self.at - 2) };
        !(is_word(before) || before == ">")
    }

    fn import(&mut self, scan: &mut Scan, local: &mut Vec<String>) {
        self.at += 1;
        let mut found = Vec::new();
        self.tree(&[], &mut found);
        for (path, name) in found {
            if self.sort(path, scan) {
                local.extend(name);
            }
        }
    }

    fn path(&mut self, scan: &mut Scan) {
        let mut found = Vec::new();
        self.tree(&[], &mut found);
        for (path, _) in found {
            self.sort(path, scan);
        }
    }

    /// Follows one tree of a path; each leaf comes with the name by which it is known.
    fn tree(&mut self, before: &[String], found: &mut Vec<(Path, Option<String>)>) {
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        let mut segments = before.to_vec();
        loop {
            match self.text(self.at) {
                "::" => self.at += 1,
                "{" => return self.group(&segments, found),
                "*" => {
                    segments.push("*".to_owned());
                    self.at += 1;
                    break;
                }
                word if is_word(word) => {
                    segments.push(word.to_owned());
                    self.at += 1;
                    if self.text(self.at) != "::" {
                        break;
                    }
                }
                _ => break,
            }
        }
        let mut name = segments.last().cloned();
        if self.text(self.at) == "as" {
            name = Some(self.text(self.at + 1).to_owned());
            self.at += 2;
        }
        if segments.len() > before.len() {
            found.push((Path { segments, line }, name));
        }
    }

    fn group(&mut self, before: &[String], found: &mut Vec<(Path, Option<String>)>) {
        self.at += 1;
        while !matches!(self.text(self.at), "}" | "") {
            let start = self.at;
            self.tree(before, found);
            if self.text(self.at) == "," || self.at == start {
                self.at += 1;
            }
        }
        self.at += 1;
    }

    /// Puts a path where it belongs and says whether it is one of this crate.
    fn sort(&self, path: Path, scan: &mut Scan) -> bool {
        let Path { segments, line } = path;
        let ups = segments.iter().take_while(|word| *word == "super" || *word == "self").count();
        let absolute = match segments[0].as_str() {
            "crate" => segments[1..].to_vec(),
            "super" | "self" => {
                let levels = segments[..ups].iter().filter(|word| *word == "super").count();
                let kept = self.module.len().saturating_sub(levels);
                [&self.module[..kept], &segments[ups..]].concat()
            }
            _ => {
                scan.foreign.push(Path { segments, line });
                return false;
            }
        };
        // Up to the file's own root and no further: `super::*` of a test names nothing new.
        if !absolute.is_empty() {
            scan.inner.push(Path { segments: absolute, line });
        }
        true
    }
}

/// The line of the first `word` that is neither comment nor text.
pub fn line_of_word(text: &str, word: &str) -> Option<usize> {
    let blanked = blank(text);
    tokens(&blanked).iter().find(|token| token.text == word).map(|token| token.line)
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut found, mut line, mut at) = (Vec::new(), 1, 0);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = if is_word(rest) {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            c.len_utf8()
        };
        if !c.is_whitespace() {
            found.push(Token { text: &rest[..length], line });
        }
        line += usize::from(c == '\n');
        at += length;
    }
    found
}

/// The text with comments, texts and characters replaced by blanks; lines stay where they are.
fn blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after_word = out.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let length = skipped(rest, after_word);
        if length == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            out.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
        }
    }
    out
}

/// How many bytes of a comment, text or character stand at the beginning; 0 for none.
fn skipped(rest: &str, after_word: bool) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if rest.starts_with('"') {
        return quoted(rest, '"');
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    if after_word { 0 } else { raw_text(rest) }
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if here.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `'x'` and `'\n'` are characters, `'a` is a lifetime.
fn character(rest: &str) -> usize {
    let mut inside = rest.chars().skip(1);
    let (first, second) = (inside.next(), inside.next());
    if first == Some('\\') || second == Some('\'') { quoted(rest, '\'') } else { 0 }
}

fn raw_text(rest: &str) -> usize {
    let Some(after) = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r')) else { return 0 };
    let hashes = after.len() - after.trim_start_matches('#').len();
    if !after[hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let body = &after[hashes + 1..];
    let head = rest.len() - body.len();
    body.find(&end).map_or(rest.len(), |at| head + at + end.len())
}
