//! The append-only log of all records (RFC 9162 §2.1): its signed head, and proofs. Whoever keeps an old head can check that nothing was
//! taken back, and by comparing heads with others that everybody is shown the same.

use std::fmt;

use ed25519_dalek::SigningKey;
use ring::digest::{Context, SHA256};
use webcall_trust::{Hash, Node, PublicKey, Signed, TreeHead, consistency_path, inclusion_of_all, inclusion_path, root};

use crate::accounts::Principal;
use crate::app::App;
use crate::config::Secret;
use crate::error::Error;
use crate::store::RecordRow;

/// The key that signs heads; zeroized when dropped. Clients remember its public half: another one looks to them like another server.
pub struct LogKey(SigningKey);

impl LogKey {
    /// Made from a secret of the data folder, whatever its form.
    pub fn new(secret: &Secret) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(b"WebCall 1 log key\0");
        context.update(secret.expose().as_bytes());
        let seed: [u8; 32] = context.finish().as_ref().try_into().expect("SHA-256 gives 32 bytes");
        Self(SigningKey::from_bytes(&seed))
    }

    fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// How long the log is, and its root; signed.
pub type Head = Signed<TreeHead>;

/// That a record is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// Of the log in which it is.
    pub head: Head,
    /// RFC 9162 §2.1.3.1.
    pub path: Vec<Hash>,
}

/// That a log only added to an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consistency {
    /// RFC 9162 §2.1.4.1.
    pub path: Vec<Hash>,
}

/// The head of the log as it is now.
pub async fn head(app: &App, principal: &Principal) -> Result<Head, Error> {
    app.limits.e2ee.log(principal.user)?;
    current_head(app).await
}

async fn current_head(app: &App) -> Result<Head, Error> {
    let size = app.store.log_size().await?;
    let root = with_nodes(app, |mut node| root(size, &mut node)).await?;
    let at_ms = app.clock.now().as_millis().unsigned_abs();
    Ok(Signed::sign(TreeHead { log: app.log_key.public(), size, root, at_ms }, &app.log_key.0))
}

/// The proof that there is a record at this place of the log.
pub async fn inclusion(app: &App, principal: &Principal, leaf: u64) -> Result<Inclusion, Error> {
    app.limits.e2ee.log(principal.user)?;
    let head = current_head(app).await?;
    let size = head.statement().size;
    let path = with_nodes(app, |mut node| inclusion_path(leaf, size, &mut node)).await?;
    let no_such_leaf = Error::Invalid { code: "invalid_leaf", detail: "the log is not that long" };
    Ok(Inclusion { head, path: path.ok_or(no_such_leaf)? })
}

/// The proof that the log of length `to` only added to that of length `from`.
pub async fn consistency(app: &App, principal: &Principal, from: u64, to: u64) -> Result<Consistency, Error> {
    app.limits.e2ee.log(principal.user)?;
    let is_there = to <= app.store.log_size().await?;
    let path = match is_there {
        true => with_nodes(app, |mut node| consistency_path(from, to, &mut node)).await?,
        false => None,
    };
    let no_such_sizes =
        Error::Invalid { code: "invalid_sizes", detail: "from is at least 1 and at most to, and the log is as long" };
    Ok(Consistency { path: path.ok_or(no_such_sizes)? })
}

/// The proof that all of a user's records are in the log of this length; `None`: it never was so long, or one came later.
pub(super) async fn inclusion_in(app: &App, records: &[RecordRow], size: u64) -> Result<Option<Vec<Hash>>, Error> {
    if size > app.store.log_size().await? {
        return Ok(None);
    }
    let leaves: Vec<u64> = records.iter().map(|row| row.leaf.unsigned_abs()).collect();
    with_nodes(app, |mut node| inclusion_of_all(&leaves, size, &mut node)).await
}

/// Calls `compute` twice: to learn which nodes it needs, and with them.
async fn with_nodes<T>(app: &App, compute: impl Fn(&mut dyn FnMut(Node) -> Hash) -> T) -> Result<T, Error> {
    let mut needed = Vec::new();
    compute(&mut |node| {
        needed.push(node);
        Hash::default()
    });
    let nodes = app.store.log_nodes(&needed).await?;
    Ok(compute(&mut |node| nodes[&node]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_depends_on_all_of_the_secret_and_does_not_show() {
        let key = |text: &str| LogKey::new(&Secret::new(text));
        assert_eq!(key("one").public(), key("one").public());
        assert_ne!(key("one").public(), key("one ").public());
        assert_eq!(format!("{:?}", key("one")), "(secret)");
    }
}
