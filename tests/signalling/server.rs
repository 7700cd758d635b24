//! A server with signalling alone, on a port of its own, with a database in a folder that goes with it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tempfile::TempDir;
use tokio::net::TcpListener;
use webcall::accounts::{self, Device, Password, Principal, Username};
use webcall::app::{App, Foundations};
use webcall::calls::Calls;
use webcall::config::{Args, Config, DEFAULT_WINDOWS_PER_USER, Origins};
use webcall::http;
use webcall::id::{RoomId, UserId};
use webcall::port::{self, Service};
use webcall::role::Role;
use webcall::rooms::{self, Encryption, MemberChanges, Protection, RoomName};
use webcall::shutdown::Shutdown;
use webcall::signal::{Signalling, Timing};
use webcall::store::Store;
use webcall::time::Clock;
use webcall_media::{Media, MediaConfig};

const PASSWORD: &str = "a long enough password";

pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) signalling: Signalling,
    pub(crate) address: SocketAddr,
    _data: TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(Timing::default()).await
    }

    pub(crate) async fn start_with(timing: Timing) -> Self {
        let data = tempfile::tempdir().unwrap();
        let args = Args { data_dir: data.path().to_owned(), turn_config: None };
        let mut config = Config::load(&args, |name| (name == "STUN_SERVERS").then(|| "stun.example:3478".to_owned())).unwrap();
        config.password_cost = 4;
        config.origins = Origins::parse("https://listed.example").unwrap();
        let (media, events) = Media::start(&MediaConfig { workers: 1, udp_port: 0, ..MediaConfig::default() }).unwrap();
        let store = Store::open_sqlite(&data.path().join("webcall.db")).await.unwrap();
        let calls = Calls::new(media.clone(), DEFAULT_WINDOWS_PER_USER);
        tokio::spawn(calls.clone().run(events));
        let app =
            App::new(Foundations { config, clock: Clock::System, store, media, calls, tls: None, shutdown: Shutdown::default() });
        let signalling = Signalling::start(&app, timing);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(port::serve(listener, Service::http(http::router(&app, signalling.routes())), app.shutdown.clone()));
        Self { app, signalling, address, _data: data }
    }

    /// A new account, signed in.
    pub(crate) async fn register(&self, name: &str) -> Principal {
        self.sign_up(name).await.0
    }

    /// The same, and its access token.
    pub(crate) async fn sign_up(&self, name: &str) -> (Principal, String) {
        let (username, password) = (Username::parse(name).unwrap(), Password::parse(PASSWORD.to_owned()).unwrap());
        let secret = self.app.config.secrets.registration.expose();
        let signed_in = accounts::register(&self.app, device(), &username, &password, secret).await.unwrap();
        (accounts::authenticate(&self.app, &signed_in.access_token).await.unwrap(), signed_in.access_token)
    }

    /// Another session of the same account.
    pub(crate) async fn login(&self, name: &str) -> Principal {
        let signed_in = accounts::login(&self.app, device(), name, PASSWORD.to_owned()).await.unwrap();
        accounts::authenticate(&self.app, &signed_in.access_token).await.unwrap()
    }

    /// A room of the first, that the others have joined.
    pub(crate) async fn room(&self, members: &[&Principal]) -> RoomId {
        self.make_room(members, Encryption::Open.into()).await
    }

    /// The same, encrypted.
    pub(crate) async fn encrypted_room(&self, members: &[&Principal]) -> RoomId {
        self.make_room(members, Encryption::Mls.into()).await
    }

    /// The same, whose calls hide from the server who speaks.
    pub(crate) async fn strict_room(&self, members: &[&Principal]) -> RoomId {
        self.make_room(members, Protection { encryption: Encryption::Mls, strict: true }).await
    }

    async fn make_room(&self, members: &[&Principal], protection: Protection) -> RoomId {
        let name = RoomName::parse("room").unwrap();
        let room = rooms::create(&self.app, members[0], &name, protection).await.unwrap();
        for member in &members[1..] {
            rooms::join(&self.app, member, &room.row.link_code, None).await.unwrap();
        }
        room.row.id
    }

    /// Gives a member another role.
    pub(crate) async fn promote(&self, owner: &Principal, room: RoomId, user: UserId, role: Role) {
        let changes = MemberChanges { role: Some(role), chat_muted: None };
        rooms::change_member(&self.app, owner, room, user, changes).await.unwrap();
    }

    pub(crate) fn ticket(&self, principal: &Principal) -> String {
        accounts::issue_ticket(&self.app, principal).unwrap()
    }

    pub(crate) async fn end_session(&self, principal: &Principal) {
        accounts::end_session(&self.app, principal, principal.session).await.unwrap();
    }
}

fn device() -> Device<'static> {
    Device { address: IpAddr::V4(Ipv4Addr::LOCALHOST), user_agent: "test" }
}
