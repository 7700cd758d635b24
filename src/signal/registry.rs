//! Every connection and socket of this node: who may open one more, where a connection is that somebody wants to continue, and whom
//! the end of a session or of the server concerns. Holds handles only; the state of a connection is with its own task (`driver.rs`).

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::driver::Control;
use super::presence::{Activity, Presences, Told};
use super::protocol::{Presence, Present, ServerMessage};
use super::refusal::Refusal;
use super::replay::Encoded;
use super::resume::SecretDigest;
use crate::id::{RoomId, SessionId, UserId};

/// Connections of one user, for each window that they may have in a call, detached ones included. When all are taken, the one
/// detached for longest gives way: a page that was reloaded often is no reason to lock its user out.
const CONNECTIONS_PER_WINDOW: usize = 4;
/// Sockets of one user beyond that, so that a full set of connections can still be resumed.
const SPARE_SOCKETS: usize = 4;
/// Sockets on this node. Each costs about 20 kB and a file descriptor.
pub const MAX_SOCKETS: usize = 20_000;
/// Notes queued for a connection's task, which reads them at once. A client is told when one of them found the queue full (`resync`).
const CONTROL_QUEUE: usize = 256;
/// The shortest and the longest time that `drain` asks clients to stay away: spread, so that they do not come back all at once.
const RETRY_MS: std::ops::Range<u64> = 500..3_000;

/// Why a connection has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Its session was ended.
    SessionEnded,
    /// It was detached and had to give way.
    Evicted,
    /// The server stops.
    Drain { retry_ms: u32 },
}

/// Every connection of this node. Cheap to clone; all clones are one registry.
#[derive(Clone)]
pub(super) struct Connections {
    windows_per_user: usize,
    state: Arc<Mutex<State>>,
    /// How many sockets there are.
    sockets: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    connections: HashMap<u64, Record>,
    of_user: HashMap<UserId, Vec<u64>>,
    of_session: HashMap<SessionId, Vec<u64>>,
    presences: Presences,
    by_secret: HashMap<SecretDigest, u64>,
    sockets_of: HashMap<UserId, usize>,
    opened: u64,
    is_draining: bool,
}

struct Record {
    user: UserId,
    session: SessionId,
    secret: SecretDigest,
    detached_since: Option<Instant>,
    control: mpsc::Sender<Control>,
    /// A note was lost.
    missed: Arc<AtomicBool>,
    end: watch::Sender<Option<End>>,
}

impl Record {
    fn note(&self, control: Control) {
        if self.control.try_send(control).is_err() {
            self.missed.store(true, Ordering::Relaxed);
        }
    }

    /// Something could not be told.
    fn miss(&self) {
        self.missed.store(true, Ordering::Relaxed);
        // Wakes the connection's task; when the queue is full it has not had its turn yet, and looks after it.
        let _ = self.control.try_send(Control::Missed);
    }
}

/// Connections of one user who may have so many windows in a call.
pub fn max_connections(windows_per_user: usize) -> usize {
    windows_per_user * CONNECTIONS_PER_WINDOW
}

/// Sockets of one user who may have so many windows in a call.
pub fn max_sockets(windows_per_user: usize) -> usize {
    max_connections(windows_per_user) + SPARE_SOCKETS
}

impl Connections {
    /// None yet, where one user may have so many windows in a call.
    pub(super) fn new(windows_per_user: usize) -> Self {
        Self { windows_per_user, state: Arc::default(), sockets: watch::Sender::new(0) }
    }

    /// How many connections there are, detached ones included.
    pub(super) fn len(&self) -> usize {
        self.lock().connections.len()
    }

    /// How many of them have no socket now.
    pub(super) fn detached(&self) -> usize {
        self.lock().connections.values().filter(|record| record.detached_since.is_some()).count()
    }

    /// The sessions of all connections, for checking them against the store.
    pub(super) fn sessions(&self) -> Vec<SessionId> {
        self.lock().of_session.keys().copied().collect()
    }

    /// Ends every connection of a session.
    pub(super) fn end_session(&self, session: SessionId) {
        let state = self.lock();
        for number in state.of_session.get(&session).into_iter().flatten() {
            state.connections[number].end.send_replace(Some(End::SessionEnded));
        }
    }

    /// Tells every connection of these users that something about a room changed.
    pub(super) fn room_changed(&self, users: &[UserId], room: RoomId) {
        self.tell(users, &Encoded::of(&ServerMessage::RoomChanged { room: room.to_string() }));
    }

    /// Tells every connection of these users something.
    pub(super) fn tell(&self, users: &[UserId], message: &Encoded) {
        let state = self.lock();
        for number in users.iter().filter_map(|user| state.of_user.get(user)).flatten() {
            state.connections[number].note(Control::Tell(message.clone()));
        }
    }

    /// Whether any of these users is connected.
    pub(super) fn any_of(&self, users: &[UserId]) -> bool {
        let state = self.lock();
        users.iter().any(|user| state.of_user.contains_key(user))
    }

    /// Something was not heard of. Every client is asked to look at its rooms again and to say what it watches: who may is not known
    /// any more.
    pub(super) fn resync_all(&self) {
        let mut state = self.lock();
        state.presences.forget_watched();
        state.connections.values().for_each(Record::miss);
    }

    /// How often memberships changed; see [`Registration::watch`].
    pub(super) fn memberships(&self) -> u64 {
        self.lock().presences.memberships()
    }

    /// A room is no more: nobody watches it.
    pub(super) fn room_gone(&self, room: RoomId) {
        self.lock().presences.room_gone(room);
    }

    /// Somebody became a member of a room.
    pub(super) fn member_added(&self, room: RoomId, user: UserId) {
        self.lock().with_presences(user, |presences| presences.member_added(room, user));
    }

    /// Somebody is no longer a member of a room.
    pub(super) fn member_gone(&self, room: RoomId, user: UserId) {
        self.lock().presences.member_gone(room, user);
    }

    /// Asks every client to come back later, closes every connection and waits until all sockets are closed, for `limit` at most.
    /// No new ones are let in.
    pub(super) async fn drain(&self, limit: Duration) {
        {
            let mut state = self.lock();
            state.is_draining = true;
            for (number, record) in &state.connections {
                record.end.send_replace(Some(End::Drain { retry_ms: retry_ms(*number) }));
            }
        }
        let mut sockets = self.sockets.subscribe();
        // Nothing to do when the time is over: the process ends and the rest with it.
        let _ = tokio::time::timeout(limit, sockets.wait_for(|open| *open == 0)).await;
    }

    /// Room for one more socket of a user, given back when dropped.
    pub(super) fn admit_socket(&self, user: UserId) -> Result<SocketPermit, SocketRefusal> {
        let mut state = self.lock();
        if state.is_draining || *self.sockets.borrow() >= MAX_SOCKETS {
            return Err(SocketRefusal::ServerBusy);
        }
        let of_user = state.sockets_of.entry(user).or_default();
        if *of_user >= max_sockets(self.windows_per_user) {
            return Err(SocketRefusal::TooMany);
        }
        *of_user += 1;
        self.sockets.send_modify(|open| *open += 1);
        Ok(SocketPermit { connections: self.clone(), user })
    }

    /// Enters a new connection.
    pub(super) fn open(&self, user: UserId, session: SessionId, secret: SecretDigest) -> Result<Registered, Refusal> {
        let mut state = self.lock();
        if state.is_draining {
            return Err(Refusal::TooManyConnections);
        }
        if state.of_user.get(&user).map_or(0, Vec::len) >= max_connections(self.windows_per_user) {
            state.evict(user)?;
        }
        let (control, control_queue) = mpsc::channel(CONTROL_QUEUE);
        let (end, end_signal) = watch::channel(None);
        state.opened += 1;
        let number = state.opened;
        let missed = Arc::new(AtomicBool::new(false));
        let record = Record { user, session, secret, detached_since: None, control, missed: Arc::clone(&missed), end };
        state.by_secret.insert(secret, number);
        state.connections.insert(number, record);
        state.of_user.entry(user).or_default().push(number);
        state.of_session.entry(session).or_default().push(number);
        state.with_presences(user, |presences| presences.set(user, number, Activity::default()));
        Ok(Registered {
            registration: Registration { connections: self.clone(), number, user, missed },
            control: control_queue,
            end: end_signal,
        })
    }

    /// The connection with this secret, if it belongs to the same session.
    pub(super) fn find(&self, secret: SecretDigest, session: SessionId) -> Option<mpsc::Sender<Control>> {
        let state = self.lock();
        let record = state.connections.get(state.by_secret.get(&secret)?)?;
        (record.session == session).then(|| record.control.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Maps only: a panic leaves nothing half done that would be worth refusing everybody.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ends the connection of a user that has been without a socket for longest.
    fn evict(&mut self, user: UserId) -> Result<(), Refusal> {
        let theirs = self.of_user.get(&user).into_iter().flatten();
        let oldest = theirs.filter_map(|number| Some((self.connections[number].detached_since?, *number))).min();
        let (_, number) = oldest.ok_or(Refusal::TooManyConnections)?;
        if let Some(record) = self.remove(number) {
            record.end.send_replace(Some(End::Evicted));
        }
        Ok(())
    }

    fn remove(&mut self, number: u64) -> Option<Record> {
        let record = self.connections.remove(&number)?;
        self.by_secret.remove(&record.secret);
        unlist(&mut self.of_user, &record.user, number);
        unlist(&mut self.of_session, &record.session, number);
        self.with_presences(record.user, |presences| presences.remove(record.user, number));
        Some(record)
    }

    /// Changes what is known of who is there, and tells those who watch.
    fn with_presences(&mut self, user: UserId, change: impl FnOnce(&mut Presences) -> Vec<Told>) {
        for Told { room, to, state } in change(&mut self.presences) {
            let users = vec![Present { user: user.to_string(), state }];
            self.tell_connections(&to, &ServerMessage::Presence { room: room.to_string(), users });
        }
    }

    fn tell_connections(&self, numbers: &[u64], message: &ServerMessage) {
        let message = Encoded::of(message);
        for record in numbers.iter().filter_map(|number| self.connections.get(number)) {
            record.note(Control::Tell(message.clone()));
        }
    }
}

/// Takes a connection out of an index.
fn unlist<K: Eq + Hash>(index: &mut HashMap<K, Vec<u64>>, key: &K, number: u64) {
    if let Some(numbers) = index.get_mut(key) {
        numbers.retain(|other| *other != number);
        if numbers.is_empty() {
            index.remove(key);
        }
    }
}

fn retry_ms(number: u64) -> u32 {
    // Fibonacci hashing: neighbours come far apart.
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let retry_ms = RETRY_MS.start + spread % (RETRY_MS.end - RETRY_MS.start);
    u32::try_from(retry_ms).expect("RETRY_MS ends at 3000")
}

/// A new connection's place in the registry and what reaches it from there.
pub(super) struct Registered {
    pub(super) registration: Registration,
    pub(super) control: mpsc::Receiver<Control>,
    pub(super) end: watch::Receiver<Option<End>>,
}

/// A connection's place in the registry, given back when dropped.
pub(super) struct Registration {
    connections: Connections,
    number: u64,
    user: UserId,
    missed: Arc<AtomicBool>,
}

impl Registration {
    /// Whether a note was lost since this was asked last.
    pub(super) fn missed(&self) -> bool {
        self.missed.swap(false, Ordering::Relaxed)
    }

    /// Notes what the user does here.
    pub(super) fn set_activity(&self, activity: Activity) {
        let mut state = self.connections.lock();
        // A connection that had to give way says nothing any more.
        if state.connections.contains_key(&self.number) {
            state.with_presences(self.user, |presences| presences.set(self.user, self.number, activity));
        }
    }

    /// Watches a conversation of these members. Returns who of them is there, or nothing when the members are to be read again: some
    /// membership changed since [`Connections::memberships`] was asked, which was before they were read.
    pub(super) fn watch(&self, room: RoomId, members: &[UserId], as_of: u64) -> Option<Vec<(UserId, Presence)>> {
        let mut state = self.connections.lock();
        if !state.connections.contains_key(&self.number) {
            return Some(Vec::new());
        }
        state.presences.watch(self.number, self.user, room, members, as_of)
    }

    /// Watches no conversation any more.
    pub(super) fn unwatch(&self) {
        self.connections.lock().presences.unwatch(self.number);
    }

    /// Tells those who watch the same conversation that the user types. `None` when none is watched.
    pub(super) fn typing(&self) -> Option<()> {
        let state = self.connections.lock();
        let (room, others) = state.presences.others_watching(self.number)?;
        let message = ServerMessage::Typing { room: room.to_string(), user: self.user.to_string() };
        state.tell_connections(&others, &message);
        Some(())
    }

    /// Notes since when the connection has no socket, or that it has one again.
    pub(super) fn set_detached(&self, since: Option<Instant>) {
        if let Some(record) = self.connections.lock().connections.get_mut(&self.number) {
            record.detached_since = since;
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.connections.lock().remove(self.number);
    }
}

/// A socket's place, given back when dropped.
pub(super) struct SocketPermit {
    connections: Connections,
    user: UserId,
}

impl Drop for SocketPermit {
    fn drop(&mut self) {
        let mut state = self.connections.lock();
        if let Some(of_user) = state.sockets_of.get_mut(&self.user) {
            *of_user -= 1;
            if *of_user == 0 {
                state.sockets_of.remove(&self.user);
            }
        }
        self.connections.sockets.send_modify(|open| *open -= 1);
    }
}

/// Why a socket was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SocketRefusal {
    /// The user has too many.
    TooMany,
    /// The node has too many, or stops.
    ServerBusy,
}
