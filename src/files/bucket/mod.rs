//! A bucket of an S3-compatible store: objects put, read, deleted and listed by name. It knows no files and no database; who calls it
//! gives names. Requests are signed in their addresses (AWS Signature Version 4, by rusty-s3), which therefore never stand in a log.
//!
//! Every object is written once, under a name that is never used again. So a request can be sent again when the store stumbles, and no
//! multipart upload is needed that could stay behind unfinished.

mod connections;
mod fault;
mod probe;

use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_LENGTH, RANGE};
use hyper::{Method, Request, Response, StatusCode};
use rusty_s3::S3Action;
use rusty_s3::actions::ListObjectsV2;

use crate::config::BucketConfig;
use connections::{Body, Connections};
pub use fault::BucketError;
pub use probe::probe;

/// A signature is good for so long, so that the clocks of the two may differ by some minutes.
const SIGNED_FOR: Duration = Duration::from_secs(15 * 60);
/// How often the same is asked, and for how long the first pause is; each next one is four times as long. More keeps people waiting for
/// a store that is away, less shows them each of its hiccups.
const ATTEMPTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Of an error document; what is longer is given up.
const MAX_ANSWER_BYTES: usize = 16 << 10;
/// Names in one answer of a listing, as many as S3 gives.
const MAX_LISTED: usize = 1_000;
/// A listing of so many names, with everything that stores say of each.
const MAX_LISTING_BYTES: usize = 4 << 20;

/// A bucket.
pub struct Bucket {
    place: rusty_s3::Bucket,
    credentials: rusty_s3::Credentials,
    connections: Connections,
}

/// Bytes of an object, on their way.
pub(super) struct Reading {
    body: Body,
    left: u64,
}

/// Some names, and how to get the next ones.
pub(super) struct Listed {
    pub(super) names: Vec<String>,
    pub(super) next: Option<String>,
}

impl Bucket {
    /// Connects to nothing yet.
    pub fn new(config: &BucketConfig) -> Self {
        let BucketConfig { bucket, credentials, roots } = config.clone();
        Self { place: bucket, credentials, connections: Connections::new(roots) }
    }

    /// Puts an object; it is safe once this returns.
    pub(super) async fn put(&self, name: &str, bytes: Bytes) -> Result<(), BucketError> {
        let action = self.place.put_object(Some(&self.credentials), name);
        self.carry_out(&action, Method::PUT, None, &bytes, MAX_ANSWER_BYTES).await.map(|_| ())
    }

    /// Begins to read the bytes of an object from `from` up to and without `to`; there is one at least.
    pub(super) async fn read(&self, name: &str, (from, to): (u64, u64)) -> Result<Reading, BucketError> {
        let action = self.place.get_object(Some(&self.credentials), name);
        let range = format!("bytes={from}-{}", to - 1);
        let answer = self.insist(&action, Method::GET, Some(&range), &Bytes::new()).await?;
        let len = answer.headers().get(CONTENT_LENGTH).and_then(|len| len.to_str().ok()?.parse().ok());
        match (answer.status(), len) {
            (StatusCode::PARTIAL_CONTENT, Some(len)) if len == to - from => Ok(Reading { body: answer.into_body(), left: len }),
            // An object that is shorter than what counts of it.
            _ => Err(BucketError::Strange("other bytes of an object")),
        }
    }

    /// Deletes an object; one that is not there is deleted.
    pub(super) async fn delete(&self, name: &str) -> Result<(), BucketError> {
        let action = self.place.delete_object(Some(&self.credentials), name);
        match self.carry_out(&action, Method::DELETE, None, &Bytes::new(), MAX_ANSWER_BYTES).await {
            Ok(_) | Err(BucketError::Missing) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Some names that begin with `prefix`, behind those that an earlier answer gave.
    pub(super) async fn list(&self, prefix: &str, after: Option<String>) -> Result<Listed, BucketError> {
        let mut action = self.place.list_objects_v2(Some(&self.credentials));
        action.with_prefix(prefix);
        action.with_max_keys(MAX_LISTED);
        if let Some(token) = after {
            action.with_continuation_token(token);
        }
        let answer = self.carry_out(&action, Method::GET, None, &Bytes::new(), MAX_LISTING_BYTES).await?;
        let no_list = || BucketError::Strange("a listing that cannot be read");
        let text = std::str::from_utf8(&answer).map_err(|_| no_list())?;
        let listed = ListObjectsV2::parse_response(text).map_err(|_| no_list())?;
        let names = listed.contents.into_iter().map(|object| object.key).collect();
        Ok(Listed { names, next: listed.next_continuation_token })
    }

    /// Sends a request until it is answered, and reads its answer, of which there may be so much.
    async fn carry_out<'a>(
        &self,
        action: &impl S3Action<'a>,
        method: Method,
        range: Option<&str>,
        bytes: &Bytes,
        at_most: usize,
    ) -> Result<Bytes, BucketError> {
        self.insist(action, method, range, bytes).await?.into_body().all(at_most).await
    }

    /// Sends a request, again after a pause when the store stumbles, until there is an answer that is a success.
    async fn insist<'a>(
        &self,
        action: &impl S3Action<'a>,
        method: Method,
        range: Option<&str>,
        bytes: &Bytes,
    ) -> Result<Response<Body>, BucketError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match self.ask(action, &method, range, bytes).await {
                Err(error) if error.is_passing() => tokio::time::sleep(pause).await,
                outcome => return outcome,
            }
            pause *= 4;
        }
        self.ask(action, &method, range, bytes).await
    }

    async fn ask<'a>(
        &self,
        action: &impl S3Action<'a>,
        method: &Method,
        range: Option<&str>,
        bytes: &Bytes,
    ) -> Result<Response<Body>, BucketError> {
        let mut request = Request::builder().method(method).uri(action.sign(SIGNED_FOR).as_str());
        if let Some(range) = range {
            request = request.header(RANGE, range);
        }
        if *method == Method::PUT {
            request = request.header(CONTENT_LENGTH, bytes.len());
        }
        let request = request.body(Full::new(bytes.clone())).expect("addresses and ranges are plain text");
        let answer = self.connections.send(request).await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        // The status alone says enough when the document cannot be had.
        let document = answer.into_body().all(MAX_ANSWER_BYTES).await.unwrap_or_default();
        Err(BucketError::of(status.as_u16(), &document))
    }
}

impl Reading {
    /// The next bytes; nothing once all have come, an error when there are fewer.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, BucketError> {
        if self.left == 0 {
            return Ok(None);
        }
        let bytes = self.body.next().await?.ok_or(BucketError::Strange("an object that ends too soon"))?;
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or(BucketError::Strange("an object that does not end"))?;
        Ok(Some(bytes))
    }

    /// All bytes in one piece: for short objects.
    pub(super) async fn all(mut self) -> Result<Vec<u8>, BucketError> {
        let mut all = Vec::with_capacity(usize::try_from(self.left).unwrap_or(0));
        while let Some(bytes) = self.next().await? {
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bucket").field("place", &self.place).finish_non_exhaustive()
    }
}
