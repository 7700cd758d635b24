//! ChannelBind (RFC 8656 §12.2): a number for a peer, and a permission with it.

use std::net::SocketAddr;

use super::Exchange;
use crate::turn::Turn;
use crate::turn::channels::BindError;
use crate::turn::wire::{Answer, ChannelNumber, Code};

impl Turn {
    pub(super) fn bind_channel(&mut self, exchange: &Exchange<'_>, number: ChannelNumber, peer: SocketAddr) -> Answer {
        self.bind_owned(exchange, number, peer).map_or_else(Answer::from, |()| Answer::Success(Vec::new()))
    }

    fn bind_owned(&mut self, exchange: &Exchange<'_>, number: ChannelNumber, peer: SocketAddr) -> Result<(), Code> {
        let key = self.owned(exchange)?;
        let limits = &self.config.limits;
        let (max_channels, max_permissions) = (limits.max_channels, limits.max_permissions);
        let allocation = self.table.get(key).ok_or(Code::AllocationMismatch)?;
        if peer.port() == 0 {
            return Err(Code::BadRequest);
        }
        allocation.check_family(exchange.now, peer)?;
        let route = self.route(allocation.scope, peer).map_err(|range| {
            self.counters.deny(range);
            Code::Forbidden
        })?;
        let allocation = self.table.get_mut(key).ok_or(Code::AllocationMismatch)?;
        allocation.channels.may_bind(exchange.now, number, peer, max_channels)?;
        if !allocation.permissions.install(exchange.now, &[peer.ip()], max_permissions) {
            return Err(Code::InsufficientCapacity);
        }
        allocation.channels.bind(exchange.now, (number, peer), route, max_channels)?;
        Ok(())
    }
}

impl From<BindError> for Code {
    fn from(error: BindError) -> Self {
        match error {
            BindError::Taken => Self::BadRequest,
            BindError::Full => Self::InsufficientCapacity,
        }
    }
}
