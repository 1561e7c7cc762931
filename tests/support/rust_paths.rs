//! The paths that a Rust source names (`crate::line::Baud`, `std::fs`), with their lines; comments and text are not code.

/// A path as written, `use` groups spread out.
#[derive(Debug, PartialEq)]
pub struct Named {
    /// From 1.
    pub line: usize,
    pub segments: Vec<String>,
    /// How many `mod name { … }` of the same file stand around it.
    pub inline_modules: usize,
}

/// Every path of the source, in order.
pub fn named_paths(source: &str) -> Vec<Named> {
    let code = code_only(source);
    let tokens = tokens(&code);
    let mut found = Vec::new();
    let mut braces = 0usize;
    let mut modules: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(&(_, token)) = tokens.get(at) {
        let word = |ahead: usize| tokens.get(at + ahead).map_or("", |&(_, token)| token);
        match token {
            "mod" if is_name(word(1)) && word(2) == "{" => {
                modules.push(braces);
                braces += 1;
                at += 3;
            }
            "{" => {
                braces += 1;
                at += 1;
            }
            "}" => {
                braces = braces.saturating_sub(1);
                if modules.last() == Some(&braces) {
                    modules.pop();
                }
                at += 1;
            }
            _ if is_name(token) && (at == 0 || tokens[at - 1].1 != "::") => {
                let in_use = at > 0 && tokens[at - 1].1 == "use";
                at = spread(&tokens, at, &mut Vec::new(), in_use, modules.len(), &mut found);
            }
            _ => at += 1,
        }
    }
    found
}

/// Follows one path (and, in a `use`, its group) from `at`; returns where it ends.
fn spread(
    tokens: &[(usize, &str)],
    mut at: usize,
    before: &mut Vec<String>,
    in_use: bool,
    inline_modules: usize,
    found: &mut Vec<Named>,
) -> usize {
    let depth = before.len();
    let mut line = 0;
    let mut whole = false;
    while let Some(&(here, token)) = tokens.get(at) {
        let follows = tokens.get(at + 1).is_some_and(|&(_, next)| next == "::");
        if is_name(token) {
            line = here;
            before.push(token.to_string());
            at += 1;
            if !follows {
                break;
            }
            at += 1;
        } else if token == "{" && in_use {
            at += 1;
            while let Some(&(_, token)) = tokens.get(at) {
                match token {
                    "}" => {
                        at += 1;
                        break;
                    }
                    "," => at += 1,
                    "{" => at = spread(tokens, at, before, true, inline_modules, found),
                    _ if is_name(token) => {
                        at = spread(tokens, at, before, true, inline_modules, found);
                        // `as name`: the new name is no path.
                        if tokens.get(at).is_some_and(|&(_, token)| token == "as") {
                            at += 2;
                        }
                    }
                    _ => at += 1,
                }
            }
            whole = true;
            break;
        } else {
            break;
        }
    }
    if !whole && before.len() > depth {
        found.push(Named { line, segments: before.clone(), inline_modules });
    }
    before.truncate(depth);
    at
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_') && token != "use" && token != "as"
}

/// Words, `::`, and single marks, each with its line.
fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if first.is_alphanumeric() || first == '_' {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            found.push((number + 1, &rest[..length]));
            rest = rest[length..].trim_start();
        }
    }
    found
}

/// The source with comments, texts and character literals blanked; line numbers stay.
fn code_only(source: &str) -> String {
    let bytes: Vec<char> = source.chars().collect();
    let at = |i: usize| bytes.get(i).copied().unwrap_or('\0');
    let mut code = String::with_capacity(source.len());
    let mut i = 0;
    while i < bytes.len() {
        let end = match (at(i), at(i + 1)) {
            ('/', '/') => (i..).find(|&k| matches!(at(k), '\n' | '\0')).unwrap_or(bytes.len()),
            ('/', '*') => comment_end(&bytes, i),
            ('"', _) => text_end(&bytes, i),
            ('r', '"' | '#') if raw_text_end(&bytes, i).is_some() && !ends_in_name(&code) => {
                raw_text_end(&bytes, i).unwrap_or(i + 1)
            }
            ('\'', '\\') => (i + 3..bytes.len()).find(|&k| at(k) == '\'').map_or(bytes.len(), |k| k + 1),
            ('\'', _) if at(i + 2) == '\'' => i + 3,
            _ => i,
        };
        if end == i {
            code.push(at(i));
            i += 1;
        } else {
            code.extend(bytes[i..end.min(bytes.len())].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            i = end;
        }
    }
    code
}

/// `r` is the end of a longer name (`for"…"` is none, but `br"…"` is a text all the same).
fn ends_in_name(code: &str) -> bool {
    code.ends_with(|c: char| (c.is_alphanumeric() || c == '_') && c != 'b')
}

fn comment_end(bytes: &[char], start: usize) -> usize {
    let (mut depth, mut i) = (0, start);
    while i < bytes.len() {
        match (bytes[i], bytes.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    bytes.len()
}

fn text_end(bytes: &[char], start: usize) -> usize {
    let mut i = start + 1;
    while i < bytes.len() && bytes[i] != '"' {
        i += if bytes[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

fn raw_text_end(bytes: &[char], start: usize) -> Option<usize> {
    let hashes = bytes[start + 1..].iter().take_while(|&&c| c == '#').count();
    let open = start + 1 + hashes;
    if bytes.get(open) != Some(&'"') {
        return None;
    }
    let closes = |k: &usize| bytes[*k] == '"' && (1..=hashes).all(|n| bytes.get(k + n) == Some(&'#'));
    Some((open + 1..bytes.len()).find(closes).map_or(bytes.len(), |k| k + 1 + hashes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &str) -> Vec<String> {
        named_paths(source)
            .iter()
            .map(|named| format!("{}:{}", named.line, named.segments.join("::")))
            .collect()
    }

    #[test]
    fn a_use_group_is_spread_out() {
        let source = "use crate::{line::{Baud as B, Span},\n  wire::*, frame};";
        assert_eq!(
            told(source),
            ["1:use", "1:crate::line::Baud", "1:crate::line::Span", "2:crate::wire", "2:crate::frame"][1..]
        );
    }

    #[test]
    fn comments_and_texts_are_not_code() {
        let source = "/* a::b /* c::d */ e */ x::y; // z::z\nlet s = \"p::q \\\" r::s\"; let t = r#\"u::\"v\"#; let c = '\"'; w::w(b'\\'');";
        let paths: Vec<String> = told(source).into_iter().filter(|path| path.contains("::")).collect();
        assert_eq!(paths, ["1:x::y", "2:w::w"]);
    }

    #[test]
    fn a_lifetime_opens_no_text() {
        let source = "fn f<'a>(x: &'a str) -> &'a str { std::fs::read(x) }";
        assert!(told(source).contains(&"1:std::fs::read".to_string()));
    }

    #[test]
    fn inline_modules_are_counted_around_a_path() {
        let inside: Vec<(String, usize)> =
            named_paths("use a::b;\nmod tests {\n fn f() { c::d() }\n}\nuse e::f;")
                .into_iter()
                .filter(|named| named.segments.len() == 2)
                .map(|named| (named.segments.concat(), named.inline_modules))
                .collect();
        assert_eq!(inside, [("ab".into(), 0), ("cd".into(), 1), ("ef".into(), 0)]);
    }
}
