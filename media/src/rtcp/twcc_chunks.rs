//! The status chunks of transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.3, §3.1.4): two bytes
//! each, a run of one status or a vector of 14 or 7.

/// The status of one packet; the value is its two-bit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Symbol {
    /// It did not come.
    Missing = 0,
    /// It came up to 63.75 ms after the one before it.
    SmallDelta = 1,
    /// It came later, or before the one before it.
    LargeDelta = 2,
}

/// The longest run of one chunk.
const MAX_RUN: usize = 0x1fff;
const ONE_BIT_VECTOR: u16 = 0x8000;
const TWO_BIT_VECTOR: u16 = 0xc000;
/// Statuses in a vector of one bit, and of two bits, each.
const ONE_BIT_STATUSES: usize = 14;
const TWO_BIT_STATUSES: usize = 7;

/// Appends the chunks of some statuses. Statuses of the last vector beyond the count are zero.
pub(super) fn put_chunks(out: &mut Vec<u8>, mut symbols: &[Symbol]) {
    while let Some(&first) = symbols.first() {
        let run = symbols.iter().take(MAX_RUN).take_while(|symbol| **symbol == first).count();
        let has_large = symbols.iter().take(ONE_BIT_STATUSES).any(|symbol| *symbol == Symbol::LargeDelta);
        let vector = if has_large { TWO_BIT_STATUSES } else { ONE_BIT_STATUSES };
        let (chunk, covered) = if run >= vector.min(symbols.len()) {
            ((first as u16) << 13 | (run & MAX_RUN) as u16, run)
        } else if has_large {
            (vector_chunk(TWO_BIT_VECTOR, 2, TWO_BIT_STATUSES, symbols), TWO_BIT_STATUSES)
        } else {
            (vector_chunk(ONE_BIT_VECTOR, 1, ONE_BIT_STATUSES, symbols), ONE_BIT_STATUSES)
        };
        out.extend_from_slice(&chunk.to_be_bytes());
        symbols = symbols.get(covered..).unwrap_or(&[]);
    }
}

fn vector_chunk(head: u16, bits: usize, statuses: usize, symbols: &[Symbol]) -> u16 {
    let places = (0..statuses).rev();
    symbols.iter().zip(places).fold(head, |chunk, (symbol, place)| chunk | (*symbol as u16) << (place * bits))
}

#[cfg(test)]
mod tests {
    use super::Symbol::{LargeDelta, Missing, SmallDelta};
    use super::*;

    fn chunks(symbols: &[Symbol]) -> Vec<u16> {
        let mut out = Vec::new();
        put_chunks(&mut out, symbols);
        out.chunks(2).map(|chunk| u16::from_be_bytes([chunk[0], chunk[1]])).collect()
    }

    #[test]
    fn a_run_is_one_chunk() {
        assert_eq!(chunks(&[SmallDelta; 100]), [0x2000 | 100]);
        assert_eq!(chunks(&[Missing; 20]), [20]);
        assert_eq!(chunks(&[LargeDelta; 7]), [0x4000 | 7]);
        assert_eq!(chunks(&[SmallDelta; 1]), [0x2000 | 1]);
    }

    #[test]
    fn a_mixture_is_a_vector_of_14_where_all_deltas_are_small() {
        let symbols = [SmallDelta, Missing, SmallDelta, SmallDelta];
        assert_eq!(chunks(&symbols), [0b1010_1100_0000_0000]);
    }

    #[test]
    fn a_mixture_with_a_large_delta_is_a_vector_of_7() {
        let symbols = [SmallDelta, LargeDelta, Missing, SmallDelta, SmallDelta, SmallDelta, SmallDelta, SmallDelta];
        assert_eq!(chunks(&symbols), [0b11_01_10_00_01_01_01_01, 0x2000 | 1]);
    }

    #[test]
    fn nothing_is_no_chunk() {
        assert!(chunks(&[]).is_empty());
    }

    #[test]
    fn a_run_longer_than_a_chunk_is_split() {
        assert_eq!(chunks(&[Missing; MAX_RUN + 3]), [0x1fff, 3]);
    }
}
