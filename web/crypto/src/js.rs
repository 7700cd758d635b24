//! The desk and files as JavaScript sees them: the only part that knows it runs in a browser. What can fail throws an `Error` whose message
//! is the stable code. Sizes and places in files are `bigint`.

use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroizing;

use crate::desk::Desk;
use crate::files::{Attachment, FileError, FileOpener, FileSealer, Layout, WholeFile};
use crate::state::StateKey;

#[wasm_bindgen(js_name = Desk)]
pub struct JsDesk(Desk);

#[wasm_bindgen(js_class = Desk)]
impl JsDesk {
    /// `key`: 32 bytes, under which states are sealed; `undefined` when it has another length.
    pub fn open(key: Vec<u8>) -> Option<JsDesk> {
        let key = Zeroizing::new(key);
        let key: Zeroizing<[u8; 32]> = Zeroizing::new(key.as_slice().try_into().ok()?);
        Some(Self(Desk::new(StateKey::new(*key))))
    }

    /// A request and its outcome, as `interface.d.ts` has them.
    pub fn handle(&mut self, request: &str) -> String {
        self.0.handle_json(request)
    }
}

/// Seals a file chunk by chunk, from its beginning to its end, under a key of its own.
#[wasm_bindgen(js_name = FileSealer)]
pub struct JsFileSealer {
    sealer: FileSealer,
    layout: Layout,
}

#[wasm_bindgen(js_class = FileSealer)]
impl JsFileSealer {
    /// For a file of so many bytes. Throws `too_long`.
    pub fn begin(size: u64) -> Result<JsFileSealer, JsError> {
        let layout = Layout::of(size).map_err(thrown)?;
        Ok(Self { sealer: FileSealer::new(layout), layout })
    }

    pub fn chunks(&self) -> u32 {
        self.layout.chunks()
    }

    /// How long the whole will be on the server.
    #[wasm_bindgen(js_name = sealedBytes)]
    pub fn sealed_bytes(&self) -> u64 {
        self.layout.sealed_bytes()
    }

    /// Where in the file a chunk begins.
    pub fn start(&self, chunk: u32) -> Result<u64, JsError> {
        Ok(self.layout.content(chunk).map_err(thrown)?.start)
    }

    /// Where in the file it ends; chunks of padding alone are empty.
    pub fn end(&self, chunk: u32) -> Result<u64, JsError> {
        Ok(self.layout.content(chunk).map_err(thrown)?.end)
    }

    /// The next chunk; gives what is to be uploaded behind what was before. Throws `wrong_length`, `no_such_chunk`.
    pub fn seal(&mut self, content: &[u8]) -> Result<Vec<u8>, JsError> {
        self.sealer.seal_next(content).map_err(thrown)
    }

    /// After the last chunk: the attachment for the sealed message, with the key in it. Throws `incomplete`, `too_long`.
    pub fn finish(self, name: String, media_type: String) -> Result<Vec<u8>, JsError> {
        Ok(self.sealer.finish(name, media_type).map_err(thrown)?.to_bytes().to_vec())
    }
}

/// Opens the chunks of a file in any order.
#[wasm_bindgen(js_name = FileOpener)]
pub struct JsFileOpener {
    opener: FileOpener,
    attachment: Attachment,
}

#[wasm_bindgen(js_class = FileOpener)]
impl JsFileOpener {
    /// By the attachment of a message. Throws `malformed`, `unknown_version`, `too_long`.
    pub fn of(attachment: &[u8]) -> Result<JsFileOpener, JsError> {
        let attachment = Attachment::from_bytes(attachment).map_err(thrown)?;
        Ok(Self { opener: FileOpener::new(attachment.clone()), attachment })
    }

    /// What the sender says: hostile input.
    pub fn name(&self) -> String {
        self.attachment.name().to_owned()
    }

    #[wasm_bindgen(js_name = mediaType)]
    pub fn media_type(&self) -> String {
        self.attachment.media_type().to_owned()
    }

    pub fn size(&self) -> u64 {
        self.attachment.layout().size_bytes()
    }

    pub fn chunks(&self) -> u32 {
        self.attachment.layout().chunks()
    }

    /// Which chunk has this byte of the file; `undefined` behind its end.
    #[wasm_bindgen(js_name = chunkOf)]
    pub fn chunk_of(&self, byte: u64) -> Option<u32> {
        self.attachment.layout().chunk_of(byte)
    }

    /// Where a chunk begins in what the server has.
    #[wasm_bindgen(js_name = sealedStart)]
    pub fn sealed_start(&self, chunk: u32) -> Result<u64, JsError> {
        Ok(self.attachment.layout().sealed(chunk).map_err(thrown)?.start)
    }

    /// Where it ends.
    #[wasm_bindgen(js_name = sealedEnd)]
    pub fn sealed_end(&self, chunk: u32) -> Result<u64, JsError> {
        Ok(self.attachment.layout().sealed(chunk).map_err(thrown)?.end)
    }

    /// The bytes of the file in a chunk. Throws `tampered`, `wrong_length`, `bad_padding`, `no_such_chunk`.
    pub fn open(&self, chunk: u32, sealed: &[u8]) -> Result<Vec<u8>, JsError> {
        Ok(self.opener.open(chunk, sealed).map_err(thrown)?.to_vec())
    }

    /// Another, that opens the whole of the file and sees that it is the one that was sent.
    pub fn whole(&self) -> JsWholeFile {
        JsWholeFile(WholeFile::new(self.attachment.clone()))
    }
}

/// Opens a file from its beginning to its end.
#[wasm_bindgen(js_name = WholeFile)]
pub struct JsWholeFile(WholeFile);

#[wasm_bindgen(js_class = WholeFile)]
impl JsWholeFile {
    /// Of the next chunk. Throws as [`JsFileOpener::open`] does.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, JsError> {
        Ok(self.0.open_next(sealed).map_err(thrown)?.to_vec())
    }

    /// Only after this did not throw may what was opened be taken for the file. Throws `incomplete`, `other_file`.
    pub fn finish(self) -> Result<(), JsError> {
        self.0.finish().map_err(thrown)
    }
}

fn thrown(error: FileError) -> JsError {
    JsError::new(error.code())
}
