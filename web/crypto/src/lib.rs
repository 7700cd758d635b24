//! The client's cryptography: MLS groups, sealed messages, the archive of their keys. Plain Rust, tested natively; `js` alone knows that it
//! runs in a browser's worker (`web/e2ee/keys`). No network, no storage: what must be kept is handed out sealed.
