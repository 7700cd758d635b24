//! The web client's files, compressed, among them the client's cryptography as WebAssembly. All live under one hash of the whole tree
//! (`/a/<hash>/…`). Put together by `build/`; a crate of its own, so that a change of the server builds none of it again.

/// One file in three encodings. An empty one is not smaller than the file itself and is not used.
pub struct Asset {
    pub path: &'static str,
    pub content_type: &'static str,
    pub identity: &'static [u8],
    pub gzip: &'static [u8],
    pub brotli: &'static [u8],
}

/// The page, with the address of the tree filled in.
pub static PAGE: Asset = assets::PAGE;
/// Everything else, sorted by path.
pub static ASSETS: &[Asset] = assets::ASSETS;
/// The hash of the tree in the addresses, in hexadecimal digits: the beginning of [`TREE_SHA256`].
pub const TREE: &str = assets::TREE;
/// SHA-256 over all files and the page, in hexadecimal digits.
pub const TREE_SHA256: &str = assets::TREE_SHA256;
/// SHA-256 of each file as it is served and of the page (`index.html`), in the form of `sha256sum`; also the file `files.txt`.
pub const FILES: &str = assets::FILES;

mod assets {
    use super::Asset;
    include!(concat!(env!("OUT_DIR"), "/assets.rs"));
}
