//! The SQL that stands in `src/store`: every string that begins as a statement or as a part of one does.

use std::fs;
use std::path::{Path, PathBuf};

/// First words of SQL in these sources.
const WORDS: [&str; 8] = ["select", "insert", "update", "delete", "with", "where", "from", "values"];
/// Not statements of a running store: whole databases are copied there, on connections of their own (`tests/vault.rs`), and opened.
const LEFT_OUT: [&str; 2] = ["transfer", "open.rs"];

/// The texts, as the compiler sees them.
pub(crate) fn statements() -> Vec<String> {
    let mut texts = Vec::new();
    for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store")) {
        let strings = strings(&fs::read_to_string(file).unwrap());
        texts.extend(strings.into_iter().map(|text| text.trim_start_matches([')', ' ']).to_owned()));
    }
    texts.retain(|text| text.split_once(' ').is_some_and(|(word, _)| WORDS.contains(&word)));
    assert!(texts.len() > 100, "{} statements are too few to be all of them", texts.len());
    texts
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let kept = entries.filter(|path| !LEFT_OUT.iter().any(|name| path.ends_with(name)));
    kept.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The string literals of Rust code without raw ones, of which there are none.
fn strings(code: &str) -> Vec<String> {
    let (mut strings, mut rest) = (Vec::new(), code);
    while let Some(at) = rest.find(['"', '/', '\'']) {
        rest = &rest[at..];
        if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else if rest.starts_with("'\"'") {
            rest = &rest[3..];
        } else if rest.starts_with('"') {
            let (text, after) = literal(&rest[1..]);
            strings.push(text);
            rest = after;
        } else {
            rest = &rest[1..];
        }
    }
    strings
}

/// The text up to the closing quote, and what follows it. A backslash before the end of a line takes the next line's indent away.
fn literal(code: &str) -> (String, &str) {
    let (mut text, mut chars) = (String::new(), code.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (text, &code[at + 1..]),
            '\\' => match chars.next().unwrap().1 {
                '\n' => {
                    let after = chars.as_str().trim_start();
                    let from = code.len() - after.len();
                    let (more, rest) = literal(&code[from..]);
                    return (text + &more, rest);
                }
                escaped => text.push(escaped),
            },
            c => text.push(c),
        }
    }
    panic!("a string that does not end");
}

#[test]
fn strings_are_read_as_the_compiler_reads_them() {
    let code = "let sql = \"select a \\\n           from b\"; // \"no\"\nlet c = '\"'; let d = \"where \\\"e\\\" = $1\";";
    assert_eq!(strings(code), ["select a from b", "where \"e\" = $1"]);
}
