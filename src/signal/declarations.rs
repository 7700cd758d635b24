//! Writes `web/protocol.d.ts` from `protocol.rs`, so that the web client is checked against the types that the server speaks. Exists in
//! tests only: one fails when the file is out of date; `UPDATE=1 cargo nextest run -p webcall declarations` writes it anew.

use std::fmt::Write as _;
use std::path::Path;

use ts_rs::{Config, TS};

use super::protocol::*;

const HEAD: &str = "\
// The signalling protocol, version 1. Generated from src/signal/protocol.rs: do not edit.
// After a change there: UPDATE=1 cargo nextest run -p webcall declarations
";

fn declarations() -> String {
    let mut text = HEAD.to_owned();
    for (name, value) in [
        ("VERSION", VERSION as usize),
        ("MAX_FRAME_BYTES", MAX_FRAME_BYTES),
        ("MAX_TRACKS", MAX_TRACKS),
        ("MAX_SEATS", MAX_SEATS),
        ("MAX_WISHES", MAX_WISHES),
    ] {
        writeln!(text, "\nexport type {name} = {value};").expect("a string takes everything");
    }
    declare::<ClientFrame>(&mut text);
    declare::<ClientMessage>(&mut text);
    declare::<Resume>(&mut text);
    declare::<TrackOffer>(&mut text);
    declare::<SeatOffer>(&mut text);
    declare::<Wish>(&mut text);
    declare::<ModeratorAction>(&mut text);
    declare::<ServerFrame>(&mut text);
    declare::<ServerMessage>(&mut text);
    declare::<IceServer>(&mut text);
    declare::<Participant>(&mut text);
    declare::<GroupInfo>(&mut text);
    declare::<SourceState>(&mut text);
    declare::<Seat>(&mut text);
    declare::<SeatFeed>(&mut text);
    declare::<Source>(&mut text);
    declare::<FeedKind>(&mut text);
    declare::<Encryption>(&mut text);
    declare::<Role>(&mut text);
    declare::<LeaveReason>(&mut text);
    declare::<MediaState>(&mut text);
    declare::<LeftOut>(&mut text);
    declare::<Entry>(&mut text);
    declare::<EntryKind>(&mut text);
    declare::<Pinned>(&mut text);
    declare::<Present>(&mut text);
    declare::<Presence>(&mut text);
    text
}

fn declare<T: TS>(text: &mut String) {
    let config = Config::new();
    // The messages have declarations of their own: no need to spell them out in the frames.
    let declaration = T::decl(&config)
        .replace(&format!("({})", ClientMessage::inline(&config)), "ClientMessage")
        .replace(&format!("({})", ServerMessage::inline(&config)), "ServerMessage");
    let docs = T::docs().unwrap_or_default();
    write!(text, "\n{}\n", layout(&format!("{docs}export {declaration}"))).expect("a string takes everything");
}

/// One field a line, indented, comments in one line: the generator's output is right but not made to be read.
fn layout(generated: &str) -> String {
    let has_objects_in_a_union = generated.contains("} | {");
    let mut out = String::new();
    let mut depth = 0;
    let mut rest = generated;
    while let Some(first) = rest.chars().next() {
        let line = |depth: usize| format!("\n{}", "  ".repeat(depth));
        if let Some((comment, after)) = rest.strip_prefix("/**\n * ").and_then(|comment| comment.split_once("\n */\n")) {
            out = out.trim_end().to_owned();
            let separator = if out.is_empty() { String::new() } else { line(depth) };
            write!(out, "{separator}/** {} */{}", comment.replace("\n * ", " "), line(depth)).expect("a string takes everything");
            rest = after;
            continue;
        }
        rest = &rest[first.len_utf8()..];
        match first {
            '{' => {
                let opening = if depth == 0 && has_objects_in_a_union { "\n  | {" } else { "{" };
                out = format!("{}{}{opening}", out.trim_end_matches([' ', '|']), if opening == "{" { " " } else { "" });
                depth += if opening == "{" { 1 } else { 2 };
                out += &line(depth);
                rest = rest.trim_start_matches(' ');
            }
            '}' => {
                out = format!("{}{}}}", out.trim_end(), line(if has_objects_in_a_union { 1 } else { 0 }));
                depth = 0;
            }
            ',' if depth > 0 => {
                out += ";";
                out += &line(depth);
                rest = rest.trim_start_matches(' ');
            }
            _ => out.push(first),
        }
    }
    out.replace("\"type\":", "type:").replace("\"do\":", "do:").lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_declarations_of_the_web_client_are_those_of_the_protocol() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/protocol.d.ts");
    let declarations = declarations();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &declarations).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == declarations, "web/protocol.d.ts is out of date: run again with UPDATE=1");
}
