//! Refresh (RFC 8656 §8.2): an allocation lives longer, or ends at once with a lifetime of zero.

use super::Exchange;
use crate::turn::Turn;
use crate::turn::sockets::RelaySockets;
use crate::turn::wire::{Answer, Code, Fact, Family, RefreshWish};

impl Turn {
    pub(super) fn refresh(&mut self, exchange: &Exchange<'_>, wish: RefreshWish, sockets: &mut dyn RelaySockets) -> Answer {
        self.refresh_owned(exchange, wish, sockets)
            .map_or_else(Answer::from, |seconds| Answer::Success(vec![Fact::Lifetime(seconds)]))
    }

    fn refresh_owned(&mut self, exchange: &Exchange<'_>, wish: RefreshWish, sockets: &mut dyn RelaySockets) -> Result<u32, Code> {
        let key = self.owned(exchange)?;
        let is_meant = |family: Family| wish.family.is_none_or(|wished| wished == family);
        let allocation = self.table.get(key).ok_or(Code::AllocationMismatch)?;
        let meant =
            Family::BOTH.map(|family| Some(family).filter(|f| is_meant(*f) && allocation.live_leg(exchange.now, *f).is_some()));
        if meant == [None, None] {
            return Err(Code::FamilyMismatch);
        }
        if wish.lifetime_s == Some(0) {
            for family in meant.into_iter().flatten() {
                self.close_leg(exchange.now, key, family, sockets);
            }
            return Ok(0);
        }
        let lifetime = self.lifetime(exchange, wish.lifetime_s);
        if let Some(allocation) = self.table.get_mut(key) {
            for (leg, _) in allocation.legs.iter_mut().zip(meant).filter(|(_, family)| family.is_some()) {
                leg.iter_mut().for_each(|leg| leg.ends = exchange.now + lifetime);
            }
        }
        self.table.reschedule(key);
        Ok(lifetime.as_secs() as u32)
    }
}
