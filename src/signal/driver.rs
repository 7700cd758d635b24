//! The task of one connection, from `hello` until the client leaves for good or stays away too long. It outlives the sockets: owns the
//! state machine, the numbered replay and the current socket's sending end, and runs the effects. Nothing in its loop waits: what
//! takes time (the store, negotiation) runs beside it and reports back.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use webcall_media::{MediaError, ParticipantId};

use super::asked::{Asked, Told};
use super::connection::{Ask, Attempt, Connection, Effect};
use super::context::{Context, log_failure};
use super::outgoing::{CloseCode, Outgoing, Sending, outgoing};
use super::presence::Activity;
use super::protocol::{ClientFrame, IceServer, Present, ServerMessage};
use super::refusal::Refusal;
use super::registry::{End, Registered, Registration};
use super::replay::{Encoded, Frame, Replay, encode};
use super::watching::Watched;
use super::wire;
use crate::accounts::Principal;
use crate::calls::{CallError, Entry, Inbox, LeaveReason, Outbox, Taken, outbox};
use crate::chat::{self, Draft};
use crate::error::Error as AppError;
use crate::id::RoomId;
use crate::rooms::Membership;
use crate::store::EntryRow;

/// Messages of the client that wait for this task. When full, the socket is not read for a moment.
const INBOX: usize = 64;
/// Requests about logs that are under way for one client, each with up to a page in memory. More are refused: whoever waits for answers
/// asks for no more at once.
const MAX_ASKED: usize = 8;
/// Times that the members of a conversation are read until no membership changes meanwhile.
const MAX_READINGS: u32 = 8;
/// How long the media core may take for an answer; it needs a few milliseconds.
const NEGOTIATION_LIMIT: Duration = Duration::from_secs(10);

/// What others ask of a connection.
pub(super) enum Control {
    /// Continue on another socket.
    Attach(Attach),
    /// Tell the client something that others are told too.
    Tell(Encoded),
    /// Something was not heard of.
    Missed,
}

/// The wish to continue a connection.
pub(super) struct Attach {
    pub(super) id: u32,
    pub(super) last_seq: u64,
    /// `None` when it cannot be continued.
    pub(super) reply: oneshot::Sender<Option<Attached>>,
}

/// What a socket needs to serve a connection.
pub(super) struct Attached {
    pub(super) number: SocketNumber,
    pub(super) inbox: mpsc::Sender<(SocketNumber, Inbound)>,
    pub(super) outgoing: Outgoing,
    /// To be sent before anything from `outgoing`.
    pub(super) backlog: Vec<Frame>,
}

/// Tells the sockets of a connection apart: a replaced one has no say any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SocketNumber(u64);

/// What a socket passes on.
#[derive(Debug)]
pub(super) enum Inbound {
    /// A message.
    Frame(Box<ClientFrame>),
    /// One that is refused unheard.
    Refused { id: u32, refusal: Refusal },
    /// The client has everything up to this message.
    Confirmed(u64),
    /// The socket is gone for good: the page was closed, or was thrown out.
    Finished,
}

/// What came of something that took time.
enum Outcome {
    Admitted { attempt: Attempt, admitted: Result<Membership, Refusal> },
    Answered { participant: ParticipantId, answer: Result<String, CallError> },
    Posted { id: u32, posted: Result<EntryRow, Refusal> },
    Marked { id: u32, marked: Result<(), Refusal> },
    Watched { watch: Watch, watched: Result<Watched, Refusal> },
    Told { id: u32, told: Result<Told, Refusal> },
    Checked,
}

/// A wish to watch a conversation.
#[derive(Clone, Copy)]
struct Watch {
    id: u32,
    turn: u64,
    readings: u32,
}

/// Whether the task goes on.
enum Flow {
    Continue,
    End { reason: LeaveReason, close: CloseCode },
}

/// The task of one connection.
pub(super) struct Driver {
    context: Context,
    principal: Principal,
    secret: String,
    registration: Registration,
    control: mpsc::Receiver<Control>,
    end: watch::Receiver<Option<End>>,
    connection: Connection,
    replay: Replay,
    events: Inbox,
    outbox: Outbox,
    inbox_sender: mpsc::Sender<(SocketNumber, Inbound)>,
    inbox: mpsc::Receiver<(SocketNumber, Inbound)>,
    sockets: u64,
    socket: Option<(SocketNumber, Sending)>,
    deadline: Option<Instant>,
    /// When the client gets new credentials.
    renewal: Instant,
    work: JoinSet<Outcome>,
    activity: Activity,
    /// Rises with each `watch`: only the last one counts, whichever is looked up first.
    watches: u64,
    /// Requests about logs that are under way.
    asked: usize,
    /// The client was not told of something that it can look up.
    missed: bool,
}

impl Driver {
    pub(super) fn new(context: Context, principal: Principal, secret: String, registered: Registered) -> Self {
        let Registered { registration, control, end } = registered;
        let (outbox, events) = outbox();
        let (inbox_sender, inbox) = mpsc::channel(INBOX);
        Self {
            renewal: Instant::now() + context.timing.renewal_interval,
            context,
            principal,
            secret,
            registration,
            control,
            end,
            connection: Connection::new(),
            replay: Replay::default(),
            events,
            outbox,
            inbox_sender,
            inbox,
            sockets: 0,
            socket: None,
            deadline: None,
            work: JoinSet::new(),
            activity: Activity::default(),
            watches: 0,
            asked: 0,
            missed: false,
        }
    }

    /// The first socket; answers `hello`.
    pub(super) fn begin(&mut self, id: u32) -> Attached {
        let welcome = self.welcome(id, false);
        let backlog = vec![self.replay.push(welcome)];
        // A session that ended between the ticket and the entry into the registry was told to nobody.
        let (context, session) = (self.context.clone(), self.principal.session);
        self.work.spawn(async move {
            log_failure(context.check_session(session).await);
            Outcome::Checked
        });
        self.attach_socket(backlog)
    }

    /// Runs until the connection ends.
    pub(super) async fn run(mut self) {
        loop {
            let flow = tokio::select! {
                biased;
                _ = self.end.changed() => self.ended(),
                Some(control) = self.control.recv() => self.control(control),
                taken = self.events.next() => self.event(taken),
                Some(outcome) = self.work.join_next() => self.outcome(outcome),
                Some((socket, inbound)) = self.inbox.recv() => self.inbound(socket, inbound),
                // After the inbox: what a socket passed on before it broke still counts.
                () = gone(self.socket.as_ref()) => self.socket_gone(),
                () = tokio::time::sleep_until(self.renewal) => self.renew(),
                () = until(self.deadline) => Flow::End { reason: LeaveReason::TimedOut, close: CloseCode::GOING_AWAY },
            };
            if let Flow::End { reason, close } = flow {
                return self.finish(reason, close);
            }
            self.note_activity(Activity { in_call: self.connection.participant().is_some(), ..self.activity });
            self.missed |= self.registration.missed();
            self.resync();
        }
    }

    fn finish(mut self, reason: LeaveReason, close: CloseCode) {
        let leave = self.connection.end(reason);
        self.perform(leave);
        if let Some((_, sending)) = self.socket.take() {
            sending.close(close);
        }
    }

    fn ended(&mut self) -> Flow {
        let end = *self.end.borrow_and_update();
        match end {
            Some(End::SessionEnded) => Flow::End { reason: LeaveReason::SessionEnded, close: CloseCode::SESSION_ENDED },
            Some(End::Drain { retry_ms }) => {
                self.send(ServerMessage::Drain { retry_ms });
                Flow::End { reason: LeaveReason::TimedOut, close: CloseCode::SERVICE_RESTART }
            }
            // An error says that the registry forgot this connection: nobody can reach it any more.
            Some(End::Evicted) | None => Flow::End { reason: LeaveReason::TimedOut, close: CloseCode::GOING_AWAY },
        }
    }

    fn control(&mut self, control: Control) -> Flow {
        match control {
            Control::Attach(attach) => self.attach(attach),
            Control::Tell(message) => {
                self.missed |= !self.send_if_room(&message);
                Flow::Continue
            }
            // The registry has marked it before.
            Control::Missed => Flow::Continue,
        }
    }

    /// Sends what the client can look up itself, if it keeps up; decided before it has a number. It never takes the place of what cannot be
    /// looked up.
    fn send_if_room(&mut self, message: &Encoded) -> bool {
        let has_room = self.socket.as_ref().is_some_and(|(_, sending)| sending.has_room_for_chat(message.len()));
        if has_room {
            let frame = self.replay.push_encoded(message);
            self.pass_on(frame);
        }
        has_room
    }

    /// Has the client look, if it missed something. One that waits for the socket already is for this as well.
    fn resync(&mut self) {
        let Some((_, sending)) = self.socket.as_mut().filter(|_| self.missed) else { return };
        self.missed = false;
        if !sending.is_resync_waiting() {
            sending.resyncs_at(self.replay.next_seq());
            self.send(ServerMessage::Resync {});
        }
    }

    fn attach(&mut self, attach: Attach) -> Flow {
        let Attach { id, last_seq, reply } = attach;
        let Some(missed) = self.replay.after(last_seq) else {
            let _ = reply.send(None); // that socket then begins afresh, or is gone as well
            return Flow::End { reason: LeaveReason::TimedOut, close: CloseCode::REPLACED };
        };
        // The answer has the number that the client named: what was missed continues from there.
        let mut backlog = vec![encode(last_seq, self.welcome(id, true))];
        backlog.extend(missed);
        let attached = self.attach_socket(backlog);
        if reply.send(Some(attached)).is_err() {
            self.detach(CloseCode::GOING_AWAY);
        }
        Flow::Continue
    }

    fn attach_socket(&mut self, backlog: Vec<Frame>) -> Attached {
        if let Some((_, replaced)) = self.socket.take() {
            replaced.close(CloseCode::REPLACED);
        }
        self.sockets += 1;
        let number = SocketNumber(self.sockets);
        let (sending, outgoing) = outgoing();
        self.socket = Some((number, sending));
        self.deadline = None;
        self.registration.set_detached(None);
        Attached { number, inbox: self.inbox_sender.clone(), outgoing, backlog }
    }

    fn detach(&mut self, close: CloseCode) {
        if let Some((_, sending)) = self.socket.take() {
            sending.close(close);
        }
        let now = Instant::now();
        self.deadline = Some(now + self.context.timing.resume_window);
        self.registration.set_detached(Some(now.into_std()));
    }

    fn socket_gone(&mut self) -> Flow {
        self.detach(CloseCode::GOING_AWAY);
        Flow::Continue
    }

    fn event(&mut self, taken: Taken) -> Flow {
        match taken {
            Taken::Delivery(delivery) => {
                let effects = self.connection.event(delivery);
                self.perform(effects);
                Flow::Continue
            }
            Taken::Overrun => Flow::End { reason: LeaveReason::TimedOut, close: CloseCode::TRY_AGAIN_LATER },
        }
    }

    fn inbound(&mut self, from: SocketNumber, inbound: Inbound) -> Flow {
        if self.socket.as_ref().is_none_or(|(current, _)| *current != from) {
            return Flow::Continue; // a replaced socket
        }
        match inbound {
            Inbound::Frame(frame) => {
                let effects = self.connection.handle(*frame);
                self.perform(effects);
            }
            Inbound::Refused { id, refusal } => self.send(refusal.answer(id)),
            Inbound::Confirmed(seq) => self.replay.confirm(seq),
            Inbound::Finished => return Flow::End { reason: LeaveReason::Left, close: CloseCode::GOING_AWAY },
        }
        Flow::Continue
    }

    fn outcome(&mut self, outcome: Result<Outcome, tokio::task::JoinError>) -> Flow {
        let effects = match outcome {
            Ok(Outcome::Admitted { attempt, admitted }) => self.connection.admitted(attempt, admitted),
            Ok(Outcome::Answered { participant, answer }) => self.connection.answered(participant, answer),
            Ok(Outcome::Posted { id, posted }) => vec![Connection::posted(id, posted)],
            Ok(Outcome::Marked { id, marked }) => vec![Connection::settled(id, marked)],
            Ok(Outcome::Watched { watch, watched }) => self.watched(watch, watched),
            Ok(Outcome::Told { id, told }) => self.told(id, told),
            Ok(Outcome::Checked) => Vec::new(),
            Err(error) => {
                tracing::error!(%error, "the work of a connection broke off");
                return Flow::End { reason: LeaveReason::TimedOut, close: CloseCode::INTERNAL };
            }
        };
        self.perform(effects);
        Flow::Continue
    }

    fn perform(&mut self, effects: impl IntoIterator<Item = Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(message) => self.send(message),
                Effect::SendIfKeepingUp(message) => {
                    // Decided before it has a number: what is left out leaves no gap.
                    if self.replay.is_roomy() && self.socket.as_ref().is_some_and(|(_, sending)| sending.is_roomy()) {
                        self.send(message);
                    }
                }
                Effect::Admit { attempt, room } => self.admit(attempt, room),
                Effect::Enter { room, standing, muted } => self.enter(room, standing, muted),
                Effect::Ask { id, participant, ask } => {
                    let answer = Connection::done(id, self.ask(participant, ask));
                    self.perform([answer]);
                }
                Effect::Negotiate { participant, offer } => {
                    let calls = self.context.app.calls.clone();
                    self.work.spawn(async move {
                        let answer = tokio::time::timeout(NEGOTIATION_LIMIT, calls.negotiate(participant, offer)).await;
                        Outcome::Answered { participant, answer: answer.unwrap_or(Err(MediaError::Busy.into())) }
                    });
                }
                Effect::Post { id, room, draft } => self.post(id, room, draft),
                Effect::MarkRead { id, room, seq } => {
                    let (app, principal) = (self.context.app.clone(), self.principal.clone());
                    self.work.spawn(async move {
                        let marked = chat::mark_read(&app, &principal, room, seq).await;
                        Outcome::Marked { id, marked: marked.map_err(Refusal::from) }
                    });
                }
                Effect::AskLog { id, room, asked } => self.ask_log(id, room, asked),
                Effect::Watch { id, room } => self.watch(id, room),
                Effect::Typing { id } => {
                    let typed = self.registration.typing().ok_or(Refusal::NotWatching);
                    self.perform([Connection::settled(id, typed)]);
                }
                Effect::Away { away } => self.note_activity(Activity { away, ..self.activity }),
                Effect::Leave { participant, reason } => self.context.app.calls.leave(participant, reason),
            }
        }
    }

    fn admit(&mut self, attempt: Attempt, room: RoomId) {
        let (context, principal) = (self.context.clone(), self.principal.clone());
        self.work.spawn(async move { Outcome::Admitted { attempt, admitted: context.standing_in(room, &principal).await } });
    }

    fn enter(&mut self, room: RoomId, standing: Membership, muted: Vec<webcall_media::Source>) {
        let (user, username) = (self.principal.user, self.principal.username.as_str().to_owned());
        let (now, outbox) = (self.context.now(), self.outbox.clone());
        let Membership { role, protection } = standing;
        let entered = self.context.app.calls.enter(Entry { room, protection, user, username, role, muted, now, outbox });
        let effects = self.connection.entered(entered);
        self.perform(effects);
        // Who was removed between the look-up and the entry would stay: the hint about it found nobody.
        let context = self.context.clone();
        self.work.spawn(async move {
            log_failure(context.check_member(room, user).await);
            Outcome::Checked
        });
    }

    /// Queued before anything else is read, so that messages of one client are stored in the order in which they were sent.
    fn post(&mut self, id: u32, room: RoomId, draft: Draft) {
        match chat::post(&self.context.app, &self.principal, room, draft) {
            Ok(posting) => {
                self.work.spawn(async move { Outcome::Posted { id, posted: posting.outcome().await.map_err(Refusal::from) } });
            }
            Err(error) => self.perform([Connection::posted(id, Err(error.into()))]),
        }
    }

    fn ask_log(&mut self, id: u32, room: RoomId, asked: Asked) {
        if self.asked >= MAX_ASKED {
            return self.perform([Connection::settled(id, Err(AppError::RateLimited { retry_after_s: 1 }.into()))]);
        }
        self.asked += 1;
        let (app, principal) = (self.context.app.clone(), self.principal.clone());
        self.work.spawn(async move { Outcome::Told { id, told: asked.carry_out(&app, &principal, id, room).await } });
    }

    /// What was asked for of a log. A page is something that can be looked up: it waits where chat does, and for who takes nothing it is
    /// refused instead.
    fn told(&mut self, id: u32, told: Result<Told, Refusal>) -> Vec<Effect> {
        self.asked -= 1;
        match told {
            Ok(Told::Act(answer)) => vec![Effect::Send(answer)],
            Ok(Told::Page(page)) if self.send_if_room(&Encoded::of(&page)) => Vec::new(),
            Ok(Told::Page(_)) => vec![Connection::settled(id, Err(AppError::RateLimited { retry_after_s: 1 }.into()))],
            Err(refusal) => vec![Connection::settled(id, Err(refusal))],
        }
    }

    fn watch(&mut self, id: u32, room: Option<RoomId>) {
        self.registration.unwatch();
        self.watches += 1;
        match room {
            Some(room) => self.read_members(Watch { id, turn: self.watches, readings: 1 }, room),
            None => self.perform([Connection::settled(id, Ok(()))]),
        }
    }

    fn read_members(&mut self, watch: Watch, room: RoomId) {
        let (context, principal) = (self.context.clone(), self.principal.clone());
        self.work.spawn(async move { Outcome::Watched { watch, watched: Watched::read(&context, &principal, room).await } });
    }

    fn watched(&mut self, watch: Watch, watched: Result<Watched, Refusal>) -> Vec<Effect> {
        let Watch { id, turn, readings } = watch;
        let Watched { room, members, as_of } = match watched {
            // Nothing on the screen any more, or something else.
            Ok(_) if turn != self.watches => return vec![Connection::settled(id, Ok(()))],
            Ok(watched) => watched,
            Err(refusal) => return vec![Connection::settled(id, Err(refusal))],
        };
        let Some(present) = self.registration.watch(room, &members, as_of) else {
            if readings >= MAX_READINGS {
                return vec![Connection::settled(id, Err(AppError::Busy.into()))];
            }
            self.read_members(Watch { id, turn, readings: readings + 1 }, room);
            return Vec::new();
        };
        let users = present.into_iter().map(|(user, state)| Present { user: user.to_string(), state }).collect();
        let presence = ServerMessage::Presence { room: room.to_string(), users };
        vec![Effect::Send(presence), Connection::settled(id, Ok(()))]
    }

    fn note_activity(&mut self, activity: Activity) {
        if activity != self.activity {
            self.activity = activity;
            self.registration.set_activity(activity);
        }
    }

    fn ask(&self, participant: ParticipantId, ask: Ask) -> Result<(), CallError> {
        let calls = &self.context.app.calls;
        match ask {
            Ask::Mute(source) => calls.mute(participant, source),
            Ask::Unmute(source) => calls.unmute(participant, source),
            Ask::View(wishes) => calls.set_wishes(participant, wishes),
            Ask::RaiseHand => calls.raise_hand(participant, self.context.now()),
            Ask::LowerHand => calls.lower_hand(participant),
            Ask::React(emoji) => calls.react(participant, &emoji, self.context.now()),
            Ask::Moderate { target, act } => self.context.moderate(&self.principal, participant, target, act),
        }
    }

    /// Numbers and keeps a message, and sends it if there is a socket. One that does not keep up is closed; the client resumes.
    fn send(&mut self, message: ServerMessage) {
        let frame = self.replay.push(message);
        self.pass_on(frame);
    }

    fn pass_on(&mut self, frame: Frame) {
        if self.socket.as_ref().is_some_and(|(_, sending)| sending.push(frame).is_err()) {
            self.detach(CloseCode::TRY_AGAIN_LATER);
        }
    }

    fn welcome(&self, id: u32, resumed: bool) -> ServerMessage {
        let timing = &self.context.timing;
        let seconds = |duration: Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
        ServerMessage::Welcome {
            id,
            connection: self.secret.clone(),
            resumed,
            resume_window_s: seconds(timing.resume_window),
            ping_interval_s: seconds(timing.ping_interval),
            ice_servers: self.ice_servers(),
        }
    }

    fn ice_servers(&self) -> Vec<IceServer> {
        let servers = self.context.app.relaying.for_participant(self.context.now(), self.principal.user);
        servers.into_iter().map(wire::ice_server).collect()
    }

    fn renew(&mut self) -> Flow {
        self.renewal = Instant::now() + self.context.timing.renewal_interval;
        self.send(ServerMessage::IceServers { ice_servers: self.ice_servers() });
        Flow::Continue
    }
}

/// Waits until the socket's task has dropped its end, however that came about; for ever without a socket.
async fn gone(socket: Option<&(SocketNumber, Sending)>) {
    match socket {
        Some((_, sending)) => sending.gone().await,
        None => std::future::pending().await,
    }
}

/// Waits for a moment, or for ever.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
