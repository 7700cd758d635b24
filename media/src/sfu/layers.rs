//! Which simulcast layer a viewer gets: a pure decision from what flows and how large the picture is shown.

/// Width that the top layer is taken to have, pixels, for one, two or three layers: what our client sends. A wrong guess costs
/// bandwidth or sharpness, never correctness.
const TOP_WIDTH_PX: [u32; 3] = [640, 640, 1280];
/// A layer is good enough while it is not scaled up by more than this, in percent.
const UPSCALE_PERCENT: u32 = 125;

/// The lowest flowing layer that is large enough, else the highest flowing one; `None` while nothing flows or nothing is shown.
///
/// `flowing` holds, lowest layer first, whether packets of it came lately.
pub(crate) fn choose(flowing: &[bool], width_px: u32) -> Option<usize> {
    if width_px == 0 {
        return None;
    }
    let top = TOP_WIDTH_PX[flowing.len().clamp(1, TOP_WIDTH_PX.len()) - 1];
    let large_enough = |layer: usize| {
        let width = top >> (flowing.len() - 1 - layer);
        width * UPSCALE_PERCENT / 100 >= width_px
    };
    let mut alive = (0..flowing.len()).filter(|layer| flowing[*layer]);
    alive.clone().find(|layer| large_enough(*layer)).or_else(|| alive.next_back())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_tile_gets_the_smallest_layer_and_a_large_one_the_largest() {
        let all = [true, true, true];
        assert_eq!(choose(&all, 160), Some(0));
        assert_eq!(choose(&all, 400), Some(0));
        assert_eq!(choose(&all, 401), Some(1));
        assert_eq!(choose(&all, 800), Some(1));
        assert_eq!(choose(&all, 1920), Some(2));
    }

    #[test]
    fn a_layer_that_does_not_flow_is_replaced_by_the_next_larger_else_the_largest_that_flows() {
        assert_eq!(choose(&[false, true, true], 100), Some(1));
        assert_eq!(choose(&[true, false, false], 1920), Some(0));
        assert_eq!(choose(&[true, true, false], 1920), Some(1));
        assert_eq!(choose(&[false, false, false], 1920), None);
    }

    #[test]
    fn what_is_not_shown_is_not_sent() {
        assert_eq!(choose(&[true], 0), None);
        assert_eq!(choose(&[true], 5000), Some(0));
    }
}
