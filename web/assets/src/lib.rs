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
/// The hash of the tree, in hexadecimal digits.
pub const TREE: &str = assets::TREE;

mod assets {
    use super::Asset;
    include!(concat!(env!("OUT_DIR"), "/assets.rs"));
}
