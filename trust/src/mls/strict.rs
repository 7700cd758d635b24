//! That a room is strict stands in the context of its group (RFC 9420 §8.1), which every epoch's secrets depend on: who made the group says it,
//! no commit takes it back, and whoever comes later need not believe the server.

use openmls::extensions::{Extensions, UnknownExtension};
use openmls::group::GroupContext;
use openmls::prelude::{Extension, ExtensionType};

/// Of those for private use (RFC 9420 §17.3).
const NUMBER: u16 = 0xf057;
pub(super) const TYPE: ExtensionType = ExtensionType::Unknown(NUMBER);

/// What the context of a strict room's group carries: that it is there says all.
pub fn strict() -> Extensions<GroupContext> {
    let extension = Extension::Unknown(NUMBER, UnknownExtension(Vec::new()));
    Extensions::single(extension).expect("a context may have what openmls does not know")
}

/// Whether a context carries just that.
pub fn is_strict(context: &GroupContext) -> bool {
    *context.extensions() == strict()
}
