//! Test calls: begun by a user, entered by the connections that their page tries, ended by them, by time or by the server's end.
//! Behind one lock, held for a few map operations and never across an await.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::oneshot;
use webcall_media::{Media, Offer, ParticipantId, RoomId};

use crate::accounts::Principal;
use crate::app::App;
use crate::error::Error;
use crate::id::{TestCallId, UserId};
use crate::shutdown::Shutdown;
use crate::time::Timestamp;

/// Test calls on the server at a time. Each costs at most what a call of twelve costs; more would be felt by real calls.
const MAX_CALLS: usize = 16;
/// Participants of one test call: a page enters with one for each way that it tries. More only let one user cost more.
const MAX_PARTICIPANTS: usize = 12;
/// How long a test call lasts at most. A page needs some 15 s for what it tries in one; longer keeps places of those who went away.
const LIFE: Duration = Duration::from_secs(60);

/// All test calls. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct TestCalls {
    media: Media,
    calls: Arc<Mutex<HashMap<TestCallId, TestCall>>>,
}

struct TestCall {
    user: UserId,
    participants: Vec<ParticipantId>,
    /// Dropped with the call: whoever waits for its time to be over waits no longer.
    _going_on: oneshot::Sender<()>,
}

/// A test call that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// The test call.
    pub id: TestCallId,
    /// How many media workers there are, each with a port of its own.
    pub workers: usize,
}

/// One connection of a test call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// The participant that it is.
    pub participant: ParticipantId,
    /// The answer to its offer.
    pub sdp: String,
}

/// Begins a test call; an earlier one of the same user ends.
pub fn start(app: &App, principal: &Principal) -> Result<Started, Error> {
    app.limits.test_call(principal.user)?;
    let (id, over) = app.test_calls.begin(principal.user, app.clock.now())?;
    app.shutdown.spawn(app.test_calls.clone().last(id, over, LIFE, app.shutdown.clone()));
    Ok(Started { id, workers: app.media.ports().len() })
}

/// Enters a test call of one's own with one connection, on a worker of choice or on any.
pub async fn enter(
    app: &App,
    principal: &Principal,
    id: TestCallId,
    worker: Option<usize>,
    offer: Offer,
) -> Result<Entered, Error> {
    app.test_calls.enter(principal.user, id, worker, offer).await
}

/// Ends a test call of one's own.
pub fn end(app: &App, principal: &Principal, id: TestCallId) -> Result<(), Error> {
    app.test_calls.end(principal.user, id)
}

impl TestCalls {
    /// None yet.
    pub fn new(media: Media) -> Self {
        Self { media, calls: Arc::default() }
    }

    fn begin(&self, user: UserId, now: Timestamp) -> Result<(TestCallId, oneshot::Receiver<()>), Error> {
        let mut calls = self.lock();
        let earlier = calls.iter().find(|(_, call)| call.user == user).map(|(id, _)| *id);
        if let Some(earlier) = earlier {
            self.remove(&mut calls, earlier);
        }
        if calls.len() >= MAX_CALLS {
            return Err(Error::TooManyTestCalls);
        }
        let (going_on, over) = oneshot::channel();
        let id = TestCallId::new(now);
        calls.insert(id, TestCall { user, participants: Vec::new(), _going_on: going_on });
        Ok((id, over))
    }

    /// Waits for the end of a call and sees to it: by its user, by time, or by the server's end.
    async fn last(self, id: TestCallId, over: oneshot::Receiver<()>, life: Duration, shutdown: Shutdown) {
        tokio::select! {
            _ = over => return,
            () = tokio::time::sleep(life) => {}
            () = shutdown.begun() => {}
        }
        self.remove(&mut self.lock(), id);
    }

    async fn enter(&self, user: UserId, id: TestCallId, worker: Option<usize>, offer: Offer) -> Result<Entered, Error> {
        let participant = self.admit(user, id, worker)?;
        match self.media.negotiate(participant, offer).await {
            Ok(sdp) => Ok(Entered { participant, sdp }),
            Err(error) => {
                self.turn_out(id, participant);
                Err(error.into())
            }
        }
    }

    fn admit(&self, user: UserId, id: TestCallId, worker: Option<usize>) -> Result<ParticipantId, Error> {
        let mut calls = self.lock();
        let call = calls.get_mut(&id).filter(|call| call.user == user).ok_or(Error::TestCallNotFound)?;
        if call.participants.len() >= MAX_PARTICIPANTS {
            return Err(Error::TestCallFull);
        }
        let (room, participant) = (RoomId(id.as_u128()), random_participant());
        match worker {
            Some(worker) => self.media.join_on(worker, room, participant)?,
            None => self.media.join(room, participant)?,
        }
        call.participants.push(participant);
        Ok(participant)
    }

    fn turn_out(&self, id: TestCallId, participant: ParticipantId) {
        if let Some(call) = self.lock().get_mut(&id) {
            call.participants.retain(|other| *other != participant);
        }
        self.media.leave(participant);
    }

    fn end(&self, user: UserId, id: TestCallId) -> Result<(), Error> {
        let mut calls = self.lock();
        calls.get(&id).filter(|call| call.user == user).ok_or(Error::TestCallNotFound)?;
        self.remove(&mut calls, id);
        Ok(())
    }

    fn remove(&self, calls: &mut HashMap<TestCallId, TestCall>, id: TestCallId) {
        for participant in calls.remove(&id).into_iter().flat_map(|call| call.participants) {
            self.media.leave(participant);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TestCallId, TestCall>> {
        // A panic while the lock was held leaves at worst one test call askew, which ends by time.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of 2^64: it meets no participant of a real call; if it ever did, the media core would refuse it.
fn random_participant() -> ParticipantId {
    let mut bytes = [0; 8];
    SystemRandom::new().fill(&mut bytes).expect("the system gives random numbers");
    ParticipantId(u64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests;
