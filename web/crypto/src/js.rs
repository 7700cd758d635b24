//! The desk as JavaScript sees it: the only part that knows it runs in a browser.

use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroizing;

use crate::desk::Desk;
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
