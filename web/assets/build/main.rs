//! Gathers every file under `web/` that a browser asks for, and the client's cryptography, compresses each at its best once, and fills the
//! address of the tree into the page. Writes `assets.rs`, which `src/lib.rs` includes.

mod wasm;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use ring::digest;

/// File name endings that browsers ask for, and what they are.
const CONTENT_TYPES: [(&str, &str); 9] = [
    ("js", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("ico", "image/x-icon"),
    ("woff2", "font/woff2"),
    ("wasm", "application/wasm"),
    ("webmanifest", "application/manifest+json"),
    ("txt", "text/plain; charset=utf-8"),
];
/// Folders that are for developers.
const LEFT_OUT: [&str; 6] = ["assets", "crypto", "node_modules", "test", "tests", "types"];
/// Where browsers find what is built from `web/crypto`.
const CRYPTO: [&str; 2] = ["e2ee/keys/crypto.js", "e2ee/keys/crypto_bg.wasm"];
/// Files at the top that are for developers: configuration of tools.
const CONFIG_ENDING: &str = ".config.js";
/// Where browsers find what files there are. No file of the tree: it could not stand in itself.
const LIST: &str = "files.txt";
/// 80 bits are enough: the address must change with the content, nobody must be kept from finding a collision with their own files.
const TREE_DIGITS: usize = 20;
const HTML: &str = "text/html; charset=utf-8";

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../..");
    let root = root.canonicalize().expect("the workspace is there");
    let web = root.join("web");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    watch(&web);
    let built = wasm::build(&root, &out);
    let mut files = Vec::new();
    collect(&web, "", &mut files);
    for (path, file) in CRYPTO.into_iter().zip([built.glue, built.wasm]) {
        files.push((path.to_owned(), content_type(path).expect("browsers ask for it"), read(&file)));
    }
    files.sort();
    let page = fs::read_to_string(web.join("index.html")).expect("web/index.html is part of the source");
    let sha256 = hash_of_tree(&files, &page);
    let tree = &sha256[..TREE_DIGITS];

    let mut code = format!("pub(super) const TREE: &str = {tree:?};\npub(super) const TREE_SHA256: &str = {sha256:?};\n");
    let page = page.replace("{{base}}", &format!("/a/{tree}"));
    let list = list_of(&files, &page);
    writeln!(code, "pub(super) const FILES: &str = {list:?};").expect("a string takes all");
    files.push((LIST.to_owned(), content_type(LIST).expect("browsers ask for it"), list.into_bytes()));
    files.sort();
    writeln!(code, "pub(super) const PAGE: Asset = {};", asset(&out, "index.html", HTML, page.as_bytes()))
        .expect("a string takes all");
    code.push_str("pub(super) static ASSETS: &[Asset] = &[\n");
    for (path, content_type, content) in &files {
        writeln!(code, "    {},", asset(&out, path, content_type, content)).expect("a string takes all");
    }
    code.push_str("];\n");
    write(&out.join("assets.rs"), code.as_bytes());
}

type File = (String, &'static str, Vec<u8>);

/// Cargo takes a folder with all that is in it: with the whole of `web/` it would build anew whenever npm has installed something.
fn watch(web: &Path) {
    for (_, path) in entries(web) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<File>) {
    for (name, at) in entries(folder) {
        let path = format!("{prefix}{name}");
        if at.is_dir() {
            collect(&at, &format!("{path}/"), files);
        } else if let Some(content_type) = content_type(&name) {
            files.push((path, content_type, read(&at)));
        }
    }
}

/// What is in a folder, without what is for developers.
fn entries(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let named = entries.map(|entry| {
        let entry = entry.expect("a folder's entries can be read");
        let Ok(name) = entry.file_name().into_string() else { panic!("{}: not UTF-8", entry.path().display()) };
        (name, entry.path())
    });
    named.filter(|(name, at)| !at.is_dir() || !(LEFT_OUT.contains(&name.as_str()) || name.starts_with('.'))).collect()
}

fn content_type(name: &str) -> Option<&'static str> {
    if name.ends_with(CONFIG_ENDING) || name.starts_with('.') {
        return None;
    }
    let (_, ending) = name.rsplit_once('.')?;
    CONTENT_TYPES.iter().find(|(known, _)| *known == ending).map(|(_, content_type)| *content_type)
}

/// `web/e2ee/client/tree.js` makes the same of what a browser got.
fn hash_of_tree(files: &[File], page: &str) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    let page = ("index.html", page.as_bytes());
    for (path, content) in files.iter().map(|(path, _, content)| (path.as_str(), content.as_slice())).chain([page]) {
        context.update(&(path.len() as u64).to_be_bytes());
        context.update(path.as_bytes());
        context.update(&(content.len() as u64).to_be_bytes());
        context.update(content);
    }
    hex(context.finish().as_ref())
}

/// Each file as it is served, the page among them, in the form of `sha256sum`.
fn list_of(files: &[File], page: &str) -> String {
    let mut lines: Vec<(&str, &[u8])> = files.iter().map(|(path, _, content)| (path.as_str(), content.as_slice())).collect();
    lines.push(("index.html", page.as_bytes()));
    lines.sort_unstable();
    lines.iter().fold(String::new(), |mut list, (path, content)| {
        writeln!(list, "{}  {path}", hex(digest::digest(&digest::SHA256, content).as_ref())).expect("a string takes all");
        list
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

/// The code for one file, whose encodings are written beside it.
fn asset(out: &Path, path: &str, content_type: &str, content: &[u8]) -> String {
    let flat = path.replace('/', "__");
    let include = |ending: &str, bytes: &[u8]| {
        let file = out.join(format!("{flat}.{ending}"));
        write(&file, bytes);
        format!("include_bytes!({:?})", file.display().to_string())
    };
    let smaller = |bytes: Vec<u8>| if bytes.len() < content.len() { bytes } else { Vec::new() };
    let (identity, gzip, brotli) =
        (include("raw", content), include("gz", &smaller(gzip(content))), include("br", &smaller(brotli(content))));
    format!("Asset {{ path: {path:?}, content_type: {content_type:?}, identity: {identity}, gzip: {gzip}, brotli: {brotli} }}")
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).and_then(|()| encoder.finish()).expect("writing to memory does not fail")
}

fn brotli(content: &[u8]) -> Vec<u8> {
    let params = brotli::enc::BrotliEncoderParams { quality: 11, size_hint: content.len(), ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut compressed, &params).expect("writing to memory does not fail");
    compressed
}

fn read(file: &Path) -> Vec<u8> {
    fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn write(file: &Path, bytes: &[u8]) {
    fs::write(file, bytes).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}
