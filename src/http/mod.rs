//! The interface over HTTP: the router as one table, and the middleware around it. Handlers read a request, call a use-case and write
//! its answer; they hold no rule and never touch the store. Descriptions for `openapi.json` come from the same handlers.

mod address;
mod assets;
mod auth;
mod config;
mod cookie;
mod diagnostics;
mod e2ee;
mod extract;
mod files;
mod foreign;
mod headers;
mod health;
mod invitations;
mod limits;
mod me;
mod messages;
mod metrics;
mod observe;
mod openapi;
mod order;
mod problem;
mod range;
mod redirect;
mod rooms;
mod server;
mod ticket;
mod turn_credentials;

pub use openapi::document;
pub use redirect::redirect_router;
pub use server::{HttpVersion, serve_connection};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::Error;

/// Every route of the server with its middleware; `signalling` has the WebSocket's.
pub fn router(app: &App, signalling: Router<App>) -> Router {
    let (api, _description) = api().split_for_parts();
    let router = api
        .merge(pages())
        .merge(operations())
        .merge(signalling)
        .fallback(assets::elsewhere)
        .method_not_allowed_fallback(|| async { Error::MethodNotAllowed });
    with_middleware(router, app).with_state(app.clone())
}

/// The interface for programs. `routes!` takes method and path from the handler, whose first line says them.
fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::base()).nest(
        "/api/v1",
        OpenApiRouter::new()
            .routes(routes!(auth::register)) //           POST   /auth/register
            .routes(routes!(auth::login)) //              POST   /auth/login
            .routes(routes!(auth::refresh)) //            POST   /auth/refresh
            .routes(routes!(auth::logout)) //             POST   /auth/logout
            .routes(routes!(me::me)) //                   GET    /me
            .routes(routes!(me::sessions)) //             GET    /me/sessions
            .routes(routes!(me::end_session)) //          DELETE /me/sessions/{id}
            .routes(routes!(me::change_password)) //      POST   /me/password
            .routes(routes!(rooms::create, rooms::list)) // POST, GET /rooms
            .routes(routes!(rooms::get, rooms::update, rooms::delete)) // GET, PATCH, DELETE /rooms/{id}
            .routes(routes!(rooms::join)) //              POST   /rooms/join
            .routes(routes!(rooms::by_link)) //           GET    /rooms/link/{code}
            .routes(routes!(messages::list)) //           GET    /rooms/{id}/messages
            .routes(routes!(messages::delete)) //         DELETE /rooms/{id}/messages/{message}
            .routes(routes!(messages::pins)) //           GET    /rooms/{id}/pins
            .routes(routes!(messages::pin, messages::unpin)) // PUT, DELETE /rooms/{id}/pins/{message}
            .routes(routes!(messages::mark_read)) //      PUT    /rooms/{id}/read
            .routes(routes!(messages::open_direct)) //    POST   /direct
            .routes(routes!(rooms::change_member, rooms::remove_member)) // PATCH, DELETE /rooms/{id}/members/{user}
            .routes(routes!(invitations::show)) //        PUT    /rooms/{id}/invitation
            .routes(routes!(invitations::list)) //        GET    /rooms/{id}/invitations
            .routes(routes!(order::bans)) //              GET    /rooms/{id}/bans
            .routes(routes!(order::ban, order::unban)) // PUT, DELETE /rooms/{id}/bans/{user}
            .routes(routes!(order::audit)) //             GET    /rooms/{id}/audit
            .routes(routes!(files::announce)) //          POST   /rooms/{id}/files
            .routes(routes!(files::read, files::receive, files::discard)) // GET, PATCH, DELETE /files/{id}
            .routes(routes!(files::state)) //             GET    /files/{id}/state
            .routes(routes!(diagnostics::start)) //       POST   /diagnostics/calls
            .routes(routes!(diagnostics::end)) //         DELETE /diagnostics/calls/{id}
            .routes(routes!(diagnostics::enter)) //       POST   /diagnostics/calls/{id}/participants
            .routes(routes!(diagnostics::report)) //      POST   /diagnostics/reports
            .routes(routes!(ticket::issue)) //            POST   /ws-ticket
            .routes(routes!(config::config)) //           GET    /config
            .routes(routes!(config::ice_servers)) //      GET    /ice-servers
            .routes(routes!(turn_credentials::issue)) // POST   /turn-credentials
            .merge(roomy())
            .nest("/e2ee", e2ee::routes()), //            what end-to-end encryption needs
    )
}

/// Routes whose bodies may be larger.
fn roomy() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(messages::post)) //               POST   /rooms/{id}/messages
        .layer(DefaultBodyLimit::max(limits::MAX_MESSAGE_BYTES))
}

/// The web client: its pages are all the same document, which looks at the address itself.
fn pages() -> Router<App> {
    Router::new()
        .route("/", get(assets::page))
        .route("/login", get(assets::page))
        .route("/register", get(assets::page))
        .route("/settings", get(assets::page))
        .route("/diagnostics", get(assets::page))
        .route("/rooms/{id}", get(assets::page))
        .route("/join/{code}", get(assets::page))
        .route("/sw.js", get(assets::service_worker))
        .route("/a/{tree}/{*path}", get(assets::asset))
}

/// For those who run the server.
fn operations() -> Router<App> {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
}

/// The layers that every request passes, from the outside in. They are put around a route as one: a layer of its own for each would
/// copy all those within it anew for every request.
fn with_middleware(router: Router<App>, app: &App) -> Router<App> {
    router.layer((
        from_fn_with_state(app.clone(), address::find),
        from_fn_with_state(app.clone(), headers::secure),
        from_fn_with_state(app.clone(), observe::observe),
        // Inside the observation, so that a panic is logged, counted and answered with its request's identifier.
        CatchPanicLayer::custom(problem::panicked),
        from_fn(limits::time_limit),
        from_fn(limits::finish_changes),
        foreign::cors(app),
        from_fn_with_state(app.clone(), foreign::refuse_foreign_writes),
        DefaultBodyLimit::max(limits::MAX_BODY_BYTES),
    ))
}
