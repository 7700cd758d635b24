//! `store/bans.rs`.

use webcall::id::{RoomId, UserId};
use webcall::role::Role;
use webcall::store::{AuditAct, AuditEntry, BanOutcome, BanRow, Joined, MemberLimits, NewBan, Store};

use crate::{NOW, act, on_both, room, user};

const LIMITS: MemberLimits = MemberLimits { in_room: 100, of_user: 10 };

on_both! {
    a_ban_ends_the_membership_and_keeps_the_user_out_until_it_is_lifted
    a_user_who_is_no_member_can_be_banned
    a_ban_decided_on_an_older_role_changes_nothing
    a_second_ban_changes_nothing
    a_room_has_so_many_bans
    a_ban_and_a_join_at_the_same_moment_leave_no_banned_member
}

fn banning(room: RoomId, by: UserId, user: UserId, role: Option<Role>) -> (NewBan, AuditEntry) {
    (NewBan { room, user, role, by, at: NOW, max_bans: 10 }, act(room, by, AuditAct::Ban, Some(user), ""))
}

async fn a_ban_ends_the_membership_and_keeps_the_user_out_until_it_is_lifted(store: &Store) {
    let (owner, _) = user(store).await;
    let (guest, _) = user(store).await;
    let id = room(store, owner, "link").await;
    store.join_room("link", guest, NOW, LIMITS).await.unwrap();
    let (ban, recorded) = banning(id, owner, guest, Some(Role::Member));
    assert_eq!(store.ban(ban, &recorded).await.unwrap(), BanOutcome::Banned);
    assert_eq!(store.role_of(id, guest).await.unwrap(), None);
    assert_eq!(store.room_of(id, owner).await.unwrap().unwrap().member_count, 1);
    assert_eq!(store.join_room("link", guest, NOW, LIMITS).await.unwrap(), Joined::Banned);
    assert_eq!(store.room_of(id, owner).await.unwrap().unwrap().member_count, 1);
    let username = store.user(guest).await.unwrap().unwrap().username;
    let expected = BanRow { user_id: guest, username, banned_by: owner, banned_at: NOW };
    assert_eq!(store.bans_of(id).await.unwrap(), [expected]);

    let lifted = act(id, owner, AuditAct::Unban, Some(guest), "");
    assert!(store.unban(id, guest, &lifted).await.unwrap());
    assert!(!store.unban(id, guest, &lifted).await.unwrap());
    assert_eq!(store.bans_of(id).await.unwrap(), []);
    assert_eq!(store.join_room("link", guest, NOW, LIMITS).await.unwrap(), Joined::Joined(id));
    let mut acts: Vec<_> = store.acts_of(id, None, 10).await.unwrap().into_iter().map(|act| format!("{:?}", act.act)).collect();
    acts.sort();
    assert_eq!(acts, ["Ban", "Unban"], "each once");
}

async fn a_user_who_is_no_member_can_be_banned(store: &Store) {
    let (owner, _) = user(store).await;
    let (stranger, _) = user(store).await;
    let id = room(store, owner, "link").await;
    let (ban, recorded) = banning(id, owner, stranger, None);
    assert_eq!(store.ban(ban, &recorded).await.unwrap(), BanOutcome::Banned);
    assert_eq!(store.room_of(id, owner).await.unwrap().unwrap().member_count, 1);
    assert_eq!(store.join_room("link", stranger, NOW, LIMITS).await.unwrap(), Joined::Banned);
}

async fn a_ban_decided_on_an_older_role_changes_nothing(store: &Store) {
    let (owner, _) = user(store).await;
    let (guest, _) = user(store).await;
    let id = room(store, owner, "link").await;
    store.join_room("link", guest, NOW, LIMITS).await.unwrap();
    for (whom, role) in [(guest, None), (guest, Some(Role::Moderator)), (owner, Some(Role::Member))] {
        let (ban, recorded) = banning(id, owner, whom, role);
        assert_eq!(store.ban(ban, &recorded).await.unwrap(), BanOutcome::RoleChanged);
    }
    let (ban, recorded) = banning(RoomId::new(NOW), owner, guest, None);
    assert_eq!(store.ban(ban, &recorded).await.unwrap(), BanOutcome::RoleChanged, "nor in a room that is gone");
    assert_eq!(store.members_of(id).await.unwrap().len(), 2);
    assert_eq!(store.room_of(id, owner).await.unwrap().unwrap().member_count, 2);
    assert_eq!(store.acts_of(id, None, 10).await.unwrap(), []);
}

async fn a_second_ban_changes_nothing(store: &Store) {
    let (owner, _) = user(store).await;
    let (guest, _) = user(store).await;
    let id = room(store, owner, "link").await;
    let (ban, recorded) = banning(id, owner, guest, None);
    assert_eq!(store.ban(ban, &recorded).await.unwrap(), BanOutcome::Banned);
    assert_eq!(store.ban(ban, &recorded).await.unwrap(), BanOutcome::Before);
    assert_eq!((store.bans_of(id).await.unwrap().len(), store.acts_of(id, None, 10).await.unwrap().len()), (1, 1));
}

async fn a_room_has_so_many_bans(store: &Store) {
    let (owner, _) = user(store).await;
    let id = room(store, owner, "link").await;
    for expected in [BanOutcome::Banned, BanOutcome::Banned, BanOutcome::TooMany] {
        let (guest, _) = user(store).await;
        let (ban, recorded) = banning(id, owner, guest, None);
        assert_eq!(store.ban(NewBan { max_bans: 2, ..ban }, &recorded).await.unwrap(), expected);
    }
    assert_eq!((store.bans_of(id).await.unwrap().len(), store.acts_of(id, None, 10).await.unwrap().len()), (2, 2));
}

async fn a_ban_and_a_join_at_the_same_moment_leave_no_banned_member(store: &Store) {
    let (owner, _) = user(store).await;
    let id = room(store, owner, "link").await;
    let mut work = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (guest, _) = user(store).await;
        let (joining, banning_store) = (store.clone(), store.clone());
        work.spawn(async move {
            joining.join_room("link", guest, NOW, LIMITS).await.unwrap();
        });
        work.spawn(async move {
            // Whoever decides on the wrong standing decides again.
            for role in [None, Some(Role::Member)] {
                let (ban, recorded) = banning(id, owner, guest, role);
                banning_store.ban(ban, &recorded).await.unwrap();
            }
        });
    }
    work.join_all().await;
    let banned: Vec<_> = store.bans_of(id).await.unwrap().into_iter().map(|ban| ban.user_id).collect();
    let members: Vec<_> = store.members_of(id).await.unwrap().into_iter().map(|member| member.user_id).collect();
    assert!(banned.iter().all(|user| !members.contains(user)), "{banned:?} {members:?}");
    assert_eq!(store.room_of(id, owner).await.unwrap().unwrap().member_count, members.len() as i64);
}
