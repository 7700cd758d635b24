//! The description of the interface, made from the handlers and checked in as `openapi.json`; a test fails when they differ.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, Info, OpenApi, OpenApiBuilder};

/// The whole description, as it is checked in.
pub fn document() -> String {
    let (_router, description) = super::api().split_for_parts();
    let mut text = description.to_pretty_json().expect("the description is JSON");
    text.push('\n');
    text
}

/// What is not about one route.
pub(super) fn base() -> OpenApi {
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build());
    let mut info = Info::new("WebCall", "1");
    info.description = Some(
        "Accounts, rooms, tickets and diagnostics. Errors are problem documents (RFC 9457) with a stable `code`. Times are Unix milliseconds. \
         Calls are negotiated over the WebSocket `GET /api/v1/ws`."
            .to_owned(),
    );
    OpenApiBuilder::new().info(info).components(Some(ComponentsBuilder::new().security_scheme("bearer", bearer).build())).build()
}
