//! A running media core with its events, as the server would see them.

use std::net::{IpAddr, SocketAddr};

use tokio::sync::mpsc;
use webcall_media::{Media, MediaConfig, MediaEvent, ParticipantId, RoomId, Seated, SeatedFeed};

use super::{Manner, Participant, soon};

/// A media core on ports that the system chooses, reached on `host`.
pub(crate) fn local_config(host: IpAddr) -> MediaConfig {
    MediaConfig { workers: 1, udp_port: 0, advertised: vec![host], ..MediaConfig::default() }
}

pub(crate) struct Call {
    pub(crate) media: Media,
    events: mpsc::Receiver<MediaEvent>,
    /// Events that came while another was awaited.
    earlier: Vec<MediaEvent>,
    host: IpAddr,
}

impl Call {
    pub(crate) fn start(config: &MediaConfig) -> Self {
        let host = config.advertised[0];
        let (media, events) = Media::start(config).expect("the media core starts");
        Self { media, events, earlier: Vec::new(), host }
    }

    /// Puts a participant with two seats into a room, and waits until media can flow.
    pub(crate) async fn join(&mut self, room: RoomId, id: u64, manner: Manner) -> Participant {
        let id = ParticipantId(id);
        self.media.join(room, id).expect("there is room");
        self.connect(id, manner, 2).await
    }

    /// Two in a room, each seated with the other.
    pub(crate) async fn pair(&mut self, room: RoomId, ids: [u64; 2]) -> [Participant; 2] {
        let one = self.join(room, ids[0], Manner::FIRST).await;
        let other = self.join(room, ids[1], Manner::SECOND).await;
        self.seated(one.id, other.id).await;
        self.seated(other.id, one.id).await;
        [one, other]
    }

    /// Negotiates for a participant who is in a room, and waits until media can flow.
    pub(crate) async fn connect(&mut self, id: ParticipantId, manner: Manner, seats: usize) -> Participant {
        let mut participant = Participant::new(id, manner, self.host).await;
        participant.negotiate(&self.media, seats).await.expect("an answer");
        participant.connected().await;
        self.event("connected", |event| (*event == MediaEvent::Connected { participant: id }).then_some(())).await;
        participant
    }

    /// The feed that came to sit in a seat of `viewer`.
    pub(crate) async fn seated(&mut self, viewer: ParticipantId, of: ParticipantId) -> (usize, SeatedFeed) {
        self.event("a seat is taken", |event| {
            let MediaEvent::Seats { participant, seats } = event else { return None };
            let of = |seated: &&Seated| seated.feed.as_ref().is_some_and(|feed| feed.participant == of);
            let seated = seats.iter().find(of).filter(|_| *participant == viewer)?;
            Some((seated.seat, seated.feed.clone()?))
        })
        .await
    }

    /// The first event, of those that came and those to come, of which `take` makes something. It is used up.
    pub(crate) async fn event<T>(&mut self, what: &str, mut take: impl FnMut(&MediaEvent) -> Option<T>) -> T {
        for (index, event) in self.earlier.iter().enumerate() {
            if let Some(taken) = take(event) {
                self.earlier.remove(index);
                return taken;
            }
        }
        loop {
            let event = soon(what, self.events.recv()).await.expect("the workers run");
            match take(&event) {
                Some(taken) => return taken,
                None => self.earlier.push(event),
            }
        }
    }

    /// Everything that came and was not awaited.
    pub(crate) fn unawaited(&mut self) -> Vec<MediaEvent> {
        while let Ok(event) = self.events.try_recv() {
            self.earlier.push(event);
        }
        std::mem::take(&mut self.earlier)
    }

    /// Gives up the media core; what its workers still said.
    pub(crate) async fn stop(mut self) -> Vec<MediaEvent> {
        drop(self.media);
        while let Some(event) = soon("the workers stop", self.events.recv()).await {
            self.earlier.push(event);
        }
        self.earlier
    }

    /// The value of a counter, by name and label.
    pub(crate) fn count(&self, name: &str, label: &str) -> u64 {
        let rows = self.media.counters();
        let row = rows.iter().find(|row| row.name == name && row.labels.first().is_none_or(|(_, value)| *value == label));
        row.expect("a counter of this name").value
    }
}

/// Where the answer says that media goes.
pub(crate) fn address_of(answer: &str) -> SocketAddr {
    let candidate = answer.lines().find_map(|line| line.strip_prefix("a=candidate:")).expect("a candidate");
    let mut words = candidate.split(' ').skip(4);
    let (ip, port) = (words.next().expect("an address"), words.next().expect("a port"));
    SocketAddr::new(ip.parse().expect("an address"), port.parse().expect("a port"))
}

/// What the answer says about one line of a seat.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SeatIds {
    pub(crate) ssrc: u32,
    pub(crate) rtx_ssrc: Option<u32>,
}

impl SeatIds {
    /// Reads the section of `track` (its second word in `a=msid`) as RFC 5576 has it.
    pub(crate) fn of(answer: &str, track: &str) -> Self {
        let is_track = |section: &&str| section.lines().any(|line| line.starts_with("a=msid:") && line.ends_with(track));
        let section = answer.split("\r\nm=").find(is_track).expect("the track has a section");
        let number = |text: &str| text.parse().expect("an SSRC");
        if let Some(group) = section.lines().find_map(|line| line.strip_prefix("a=ssrc-group:FID ")) {
            let (ssrc, rtx_ssrc) = group.split_once(' ').expect("two SSRCs");
            return Self { ssrc: number(ssrc), rtx_ssrc: Some(number(rtx_ssrc)) };
        }
        let declared = section.lines().find_map(|line| line.strip_prefix("a=ssrc:")).expect("an SSRC");
        Self { ssrc: number(declared.split(' ').next().unwrap_or_default()), rtx_ssrc: None }
    }
}
