//! The calls of a benchmark: rooms made for it, and the participants who join them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt};
use webcall_media::load::Generator;
use webcall_media::synthetic::{Identity, Settings};

use super::BenchError;
use super::adapter::{Adapter, Guest};
use super::plan::Plan;
use super::session::progress;
use super::signalling::Shown;

/// Participants who join at the same moment, when no time is given for it.
const JOINING_AT_ONCE: usize = 8;
/// How long all participants together may take to connect.
const CONNECT_LIMIT: Duration = Duration::from_secs(20);

pub(super) struct Calls {
    server: Adapter,
    generator: Arc<Generator>,
    identity: Identity,
    calls: Vec<Call>,
}

struct Call {
    room: String,
    plan: Plan,
    guests: Vec<Guest>,
}

impl Calls {
    /// Makes a room for each plan.
    pub(super) async fn open(server: Adapter, plans: Vec<Plan>) -> Result<Self, BenchError> {
        let mut calls = Vec::new();
        for plan in plans {
            calls.push(Call { room: server.open_room().await?, plan, guests: Vec::new() });
        }
        Ok(Self { server, generator: Arc::new(Generator::start()?), identity: Identity::generate()?, calls })
    }

    pub(super) fn generator(&self) -> Arc<Generator> {
        self.generator.clone()
    }

    /// Lets those in who send.
    pub(super) async fn let_senders_in(&mut self) -> Result<(), BenchError> {
        for at in 0..self.calls.len() {
            let plan = &self.calls[at].plan;
            let senders = plan.people[..plan.senders].to_vec();
            self.let_in(at, senders, Duration::ZERO).await?;
        }
        Ok(())
    }

    /// Lets everybody else in, spread over this time.
    pub(super) async fn let_others_in(&mut self, over: Duration) -> Result<(), BenchError> {
        for at in 0..self.calls.len() {
            let plan = &self.calls[at].plan;
            let others = plan.people[plan.senders..].to_vec();
            let pause = over / others.len().max(1) as u32;
            self.let_in(at, others, pause).await?;
        }
        Ok(())
    }

    async fn let_in(&mut self, at: usize, people: Vec<Settings>, pause: Duration) -> Result<(), BenchError> {
        let (began, all) = (Instant::now(), people.len());
        let this = &*self;
        let senders: Vec<String> = self.calls[at].senders();
        let senders = &senders;
        let join = |(n, settings): (usize, Settings)| async move {
            tokio::time::sleep_until((began + pause * n as u32).into()).await;
            let guest = this.server.join((&this.calls[at].room, senders), settings, (&this.identity, &this.generator)).await?;
            if n % 50 == 49 {
                progress(&format!("{} of {all} have joined", n + 1));
            }
            Ok::<_, BenchError>(guest)
        };
        let at_once = if pause.is_zero() { JOINING_AT_ONCE } else { all.max(1) };
        let joined = futures_util::stream::iter(people.into_iter().enumerate()).map(join).buffered(at_once);
        let guests: Vec<Guest> = joined.try_collect().await?;
        self.calls[at].guests.extend(guests);
        Ok(())
    }

    /// Waits until media can flow to everybody.
    pub(super) async fn wait_connected(&self) -> Result<(), BenchError> {
        let began = Instant::now();
        loop {
            let (all, missing) = self.generator.ask(|_, people| {
                people.fold((0, 0), |(all, missing), person| (all + 1, missing + usize::from(!person.is_connected())))
            })?;
            if missing == 0 {
                return Ok(());
            }
            if began.elapsed() > CONNECT_LIMIT {
                return Err(BenchError::NotConnected { missing, all, seconds: CONNECT_LIMIT.as_secs() });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everybody shows those who send at this width.
    pub(super) fn look_at_senders(&mut self, width_px: u32) {
        for call in &mut self.calls {
            let senders = call.senders();
            for shown in call.guests.iter_mut().filter_map(|guest| guest.shown.take()) {
                // A connection that broke meanwhile shows in the figures.
                let _ = shown.send(Shown { participants: senders.clone(), width_px });
            }
        }
    }

    /// When each participant, by its source, began to join.
    pub(super) fn began(&self) -> Vec<(u32, Instant)> {
        self.calls.iter().flat_map(|call| &call.guests).map(|guest| (guest.source, guest.began)).collect()
    }

    /// Deletes the rooms.
    pub(super) async fn close(&self) {
        for call in &self.calls {
            self.server.close_room(&call.room).await;
        }
    }
}

impl Call {
    /// Those who send, as far as they have joined.
    fn senders(&self) -> Vec<String> {
        self.guests.iter().take(self.plan.senders).map(|guest| guest.me.clone()).collect()
    }
}
