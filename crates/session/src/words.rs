//! The two words that both people see: made of the whole handshake and of a
//! number that the viewer promised before the machine answered. Somebody between
//! the ends has a handshake with each of them, and cannot try keys until the
//! words agree: when the number is told, both handshakes are over.

use sha2::{Digest as _, Sha256};

/// What stands before the nonce in the promise.
const COMMITMENT_CONTEXT: &[u8] = b"guruconnect words commitment v1\0";

/// What stands before handshake and nonce in the words.
const WORDS_CONTEXT: &[u8] = b"guruconnect words v1\0";

/// Two words of [`WORDS`], in order.
pub type TwoWords = [&'static str; 2];

/// What a viewer promises in its first message.
pub(crate) fn commitment(nonce: &[u8; 32]) -> [u8; 32] {
    Sha256::new()
        .chain_update(COMMITMENT_CONTEXT)
        .chain_update(nonce)
        .finalize()
        .into()
}

/// The words of a handshake. A relay in the middle has the same ones once in 65,536 attempts.
pub(crate) fn two_words(handshake_hash: &[u8; 32], nonce: &[u8; 32]) -> TwoWords {
    let digest = Sha256::new()
        .chain_update(WORDS_CONTEXT)
        .chain_update(handshake_hash)
        .chain_update(nonce)
        .finalize();
    [WORDS[usize::from(digest[0])], WORDS[usize::from(digest[1])]]
}

/// Short and easy to say on the telephone; no two begin with the same four letters.
#[rustfmt::skip]
pub const WORDS: [&str; 256] = [
    "abacus", "acorn", "actor", "album", "alley", "amber", "anchor", "ankle", "apple", "apron",
    "arrow", "atlas", "attic", "badge", "bagel", "baker", "bamboo", "banjo", "barn", "basil",
    "basket", "beach", "beaver", "bell", "berry", "bishop", "blanket", "blossom", "bonfire",
    "bonnet", "bottle", "breeze", "brick", "bridge", "bronze", "broom", "bubble", "bucket",
    "buffalo", "butter", "cabin", "cactus", "camel", "candle", "canoe", "canyon", "carbon",
    "cargo", "carpet", "carrot", "castle", "cedar", "cello", "chalk", "cherry", "chess", "circus",
    "citrus", "clay", "clock", "cloud", "clover", "coast", "cobalt", "cocoa", "comet", "comma",
    "copper", "coral", "cotton", "cousin", "crane", "crayon", "cricket", "crown", "crystal",
    "daisy", "dancer", "denim", "desert", "diamond", "dolphin", "domino", "donkey", "dragon",
    "drum", "eagle", "easel", "echo", "elbow", "elephant", "ember", "emerald", "engine",
    "envelope", "falcon", "feather", "fiddle", "finger", "flamingo", "flute", "forest", "fossil",
    "fountain", "fox", "frost", "galaxy", "garden", "garlic", "gazelle", "giant", "ginger",
    "giraffe", "glacier", "glove", "goblet", "gong", "granite", "grape", "guitar", "hammer",
    "harbor", "harvest", "hazel", "helmet", "heron", "honey", "horizon", "hotel", "iceberg",
    "igloo", "indigo", "island", "ivory", "jacket", "jaguar", "jasmine", "jelly", "jewel",
    "jungle", "kayak", "kettle", "kitten", "koala", "ladder", "lagoon", "lantern", "lemon",
    "leopard", "lily", "linen", "lizard", "lobster", "lotus", "magnet", "maple", "marble",
    "meadow", "melon", "mirror", "mitten", "monkey", "mosaic", "motor", "muffin", "museum",
    "mustard", "napkin", "nectar", "needle", "nickel", "noodle", "nutmeg", "oasis", "ocean",
    "olive", "onion", "opera", "orange", "orchid", "otter", "oyster", "paddle", "panda", "paper",
    "parrot", "pastry", "peach", "pebble", "pelican", "pencil", "penguin", "pepper", "piano",
    "picnic", "pigeon", "pillow", "pilot", "pine", "planet", "plum", "pocket", "poem", "poplar",
    "prairie", "pretzel", "pumpkin", "quartz", "quilt", "rabbit", "radish", "raven", "ribbon",
    "river", "robin", "rocket", "ruby", "saddle", "saffron", "salmon", "sandal", "saturn", "scarf",
    "shadow", "shovel", "silver", "spider", "spruce", "squirrel", "starfish", "summit", "sunset",
    "tango", "teapot", "temple", "thimble", "tiger", "tomato", "trumpet", "tulip", "tunnel",
    "turtle", "umbrella", "valley", "vanilla", "velvet", "violin", "walnut", "walrus", "whale",
    "willow", "window", "yellow", "yogurt", "zebra", "zigzag",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn words_are_short_and_differ_in_their_first_four_letters() {
        let beginnings: HashSet<&str> = WORDS
            .iter()
            .map(|word| word.get(..4).unwrap_or(word))
            .collect();

        assert_eq!(beginnings.len(), WORDS.len());
        assert!(WORDS.iter().all(|word| {
            (3..=9).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase())
        }));
    }

    #[test]
    fn words_depend_on_the_handshake_and_on_the_nonce() {
        let seen: HashSet<TwoWords> = (0..32)
            .flat_map(|number| {
                [
                    two_words(&[number; 32], &[0; 32]),
                    two_words(&[0; 32], &[number; 32]),
                ]
            })
            .collect();

        assert!(seen.len() > 60, "{seen:?}");
    }
}
