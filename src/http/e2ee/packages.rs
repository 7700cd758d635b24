//! `/api/v1/e2ee/devices/{device}/key-packages` and `/key-packages/claim`: what is needed to add a device while it is away.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::super::extract::{Body, Segments, SignedIn, identifier};
use super::super::problem::Problem;
use super::{MAX_E2EE_BYTES, device_id};
use crate::app::App;
use crate::e2ee::{self, Upload};
use crate::error::Error;
use crate::id::{DeviceId, UserId};
use crate::store::{ClaimedPackage, Stock};

/// Key packages of a device (RFC 9420 §10), each an MLS message of at most 2,048 bytes; base64url without padding.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct NewKeyPackages {
    /// At most 100, given out once each. With those that are there at most 100.
    #[serde(default)]
    key_packages: Vec<String>,
    /// Given out when no other is left. Takes the place of the one that is there.
    #[serde(default)]
    last_resort: Option<String>,
}

/// What a device has left.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct KeyPackageStock {
    /// Key packages to be given out once each.
    key_packages: i64,
    /// Whether there is a last resort.
    last_resort: bool,
}

impl From<Stock> for KeyPackageStock {
    fn from(stock: Stock) -> Self {
        Self { key_packages: stock.one_time, last_resort: stock.last_resort }
    }
}

/// Whose key packages to claim.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Claim {
    /// At most 100.
    #[schema(value_type = Vec<UserId>)]
    users: Vec<String>,
}

/// One key package for each device that has one.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct Claimed {
    key_packages: Vec<OnePackage>,
}

/// A key package that was given out.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct OnePackage {
    user: UserId,
    device: DeviceId,
    /// Base64url without padding.
    key_package: String,
    /// Whether it is given to others, too.
    last_resort: bool,
}

impl From<ClaimedPackage> for OnePackage {
    fn from(claimed: ClaimedPackage) -> Self {
        Self {
            user: claimed.user,
            device: claimed.device,
            key_package: e2ee::encode(&claimed.package),
            last_resort: claimed.is_last_resort,
        }
    }
}

/// Leaves key packages of one's own device: all or none.
#[utoipa::path(post, path = "/devices/{device}/key-packages", tag = "e2ee", security(("bearer" = [])),
    params(("device" = DeviceId, Path)), request_body = NewKeyPackages, responses(
    (status = 201, body = KeyPackageStock),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 409, description = "`key_package_reused`, `too_many_key_packages`", body = Problem),
    (status = 422, description = "`unknown_device`, `invalid_bytes`, `malformed`, `wire_format`, `key_package`, `not_vouched`, `suite`, \
        `weak_key`, `credential`, `bad_signature`, `unknown_version`, `capabilities`, `lifetime`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(in super::super) async fn upload(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(device): Segments<String>,
    Body(body): Body<NewKeyPackages, MAX_E2EE_BYTES>,
) -> Result<(StatusCode, Json<KeyPackageStock>), Error> {
    let device = device_id(&device)?;
    let upload = Upload { one_time: body.key_packages, last_resort: body.last_resort };
    let stock = e2ee::upload(&app, &principal, device, upload).await?;
    Ok((StatusCode::CREATED, Json(stock.into())))
}

/// What one's own device has left; nothing for a device that does not count. Whoever asks speaks for it: when it is revoked, their session ends.
#[utoipa::path(get, path = "/devices/{device}/key-packages", tag = "e2ee", security(("bearer" = [])),
    params(("device" = DeviceId, Path)), responses(
    (status = 200, body = KeyPackageStock),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 422, description = "`unknown_device`", body = Problem),
))]
pub(in super::super) async fn stock(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(device): Segments<String>,
) -> Result<Json<KeyPackageStock>, Error> {
    let device = device_id(&device)?;
    Ok(Json(e2ee::stock(&app, &principal, device).await?.into()))
}

/// Takes one key package of each device of users with whom one shares a room, to add them to a group.
#[utoipa::path(post, path = "/key-packages/claim", tag = "e2ee", security(("bearer" = [])), request_body = Claim, responses(
    (status = 200, body = Claimed),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`user_not_found`: of any of them; then none is taken", body = Problem),
    (status = 422, description = "`invalid_users`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(in super::super) async fn claim(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Body(Claim { users }): Body<Claim>,
) -> Result<Json<Claimed>, Error> {
    let users = users.iter().map(|user| identifier(user, Error::UserNotFound)).collect::<Result<Vec<UserId>, _>>()?;
    let claimed = e2ee::claim(&app, &principal, &users).await?;
    Ok(Json(Claimed { key_packages: claimed.into_iter().map(OnePackage::from).collect() }))
}
