//! People see and hear each other.

use super::*;
use crate::synthetic::{Settings, VideoCodec};

#[test]
fn two_callers_see_and_hear_each_other_with_vp8() {
    let mut world = World::new(1);
    let a = world.join(1, Settings::caller(10, &[VideoCodec::Vp8], 4), Network::delay_ms(20));
    let b = world.join(1, Settings::caller(20, &[VideoCodec::Vp8], 4), Network::delay_ms(20));
    world.run_ms(5_000);
    for caller in [a, b] {
        let synthetic = &world.caller(caller).synthetic;
        assert!(synthetic.is_connected());
        println!("{:?}\n{:?}\n{:?}\n{:?}", synthetic.video(0), synthetic.audio(0), synthetic.sent(), synthetic.transport());
    }
}
