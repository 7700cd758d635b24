//! What a username looks like: names with the same skeleton are mistaken for one another, so of those only one may be registered. The
//! idea of UTS 39 §4, for the letters that names are made of. Pure. `migrations/*/0005_scale.sql` does the same for accounts that were
//! there before; a test compares the two.
//!
//! What looks alike in the typefaces of screens: `I`, `l` and `1`; `O` and `0`; `rn` and `m`; `vv` and `w`; `cl` and `d`; `_`, `-` and
//! `.`, however many, and as good as nothing at either end of a name. Of each pair the longer stands in the skeleton, so that the
//! letters can be taken one by one (`c1`, `cI` and `d` are the same). Not taken for alike: digits that stand for letters but do not look
//! like them (`3` and `e`, `5` and `s`), and the small `i`, whose dot shows: names are always shown as they were written.

/// The skeleton of a checked username: letters a-z, digits and single dots.
pub(super) fn skeleton(username: &str) -> String {
    let mut skeleton = String::with_capacity(2 * username.len());
    for letter in username.chars() {
        match letter {
            'I' | '1' => skeleton.push('l'),
            '0' => skeleton.push('o'),
            'm' | 'M' => skeleton.push_str("rn"),
            'w' | 'W' => skeleton.push_str("vv"),
            'd' | 'D' => skeleton.push_str("cl"),
            '_' | '-' | '.' if skeleton.is_empty() || skeleton.ends_with('.') => {}
            '_' | '-' | '.' => skeleton.push('.'),
            letter => skeleton.push(letter.to_ascii_lowercase()),
        }
    }
    if skeleton.ends_with('.') {
        skeleton.pop();
    }
    skeleton
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_mistaken_for_one_another_have_the_same_skeleton() {
        for alike in [
            &["Paul", "PauI", "pau1", "PAUL"][..],
            &["Oscar", "0scar", "oScAr"],
            &["Martin", "rnartin", "RNartin"],
            &["Will", "vvill", "VViI1"],
            &["David", "clavid", "Davicl", "c1avicI"],
            &["ann.lee", "ann_lee", "ann-lee", "Ann__Lee", "_ann.lee_", "-.ann.-lee"],
            &["...", "-_-", "______"],
        ] {
            for name in alike {
                assert_eq!(skeleton(name), skeleton(alike[0]), "{name} and {}", alike[0]);
            }
        }
    }

    #[test]
    fn names_that_are_told_apart_have_different_skeletons() {
        for (one, other) in [
            ("ian", "lan"),
            ("annlee", "ann.lee"),
            ("ann1", "ann2"),
            ("user11", "user1"),
            ("eve", "3ve"),
            ("sam", "5am"),
            ("bob", "8ob"),
            ("anna", "ann"),
            ("nora", "mora"),
        ] {
            assert_ne!(skeleton(one), skeleton(other), "{one} and {other}");
        }
    }

    #[test]
    fn a_skeleton_is_its_own_and_at_most_twice_as_long() {
        for name in ["Dad.Mom_WOW", "0I1l", "a-b", "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"] {
            let once = skeleton(name);
            assert_eq!(skeleton(&once), once);
            assert!(once.len() <= 2 * name.len());
        }
    }
}
