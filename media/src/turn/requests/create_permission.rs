//! CreatePermission (RFC 8656 §10.2): all peers that it names, or none.

use std::net::{IpAddr, SocketAddr};

use super::Exchange;
use crate::turn::Turn;
use crate::turn::wire::{Answer, Code};

impl Turn {
    pub(super) fn create_permission(&mut self, exchange: &Exchange<'_>, peers: &[SocketAddr]) -> Answer {
        self.permit(exchange, peers).map_or_else(Answer::from, |()| Answer::Success(Vec::new()))
    }

    fn permit(&mut self, exchange: &Exchange<'_>, peers: &[SocketAddr]) -> Result<(), Code> {
        let key = self.owned(exchange)?;
        let allocation = self.table.get(key).ok_or(Code::AllocationMismatch)?;
        for peer in peers {
            allocation.check_family(exchange.now, *peer)?;
        }
        let scope = allocation.scope;
        for peer in peers {
            self.route(scope, *peer).map_err(|range| {
                self.counters.deny(range);
                Code::Forbidden
            })?;
        }
        let ips: Vec<IpAddr> = peers.iter().map(SocketAddr::ip).collect();
        let max = self.config.limits.max_permissions;
        let allocation = self.table.get_mut(key).ok_or(Code::AllocationMismatch)?;
        allocation.permissions.install(exchange.now, &ips, max).then_some(()).ok_or(Code::InsufficientCapacity)
    }
}
