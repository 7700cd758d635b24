//! What a call must do, in virtual time.

mod basic;

use super::{Bottleneck, Loss, Network, World};
use crate::synthetic::{Faults, VideoReport};
