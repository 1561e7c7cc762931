//! What can be said of a byte without any table: character, bits, and what noise would need to make it.

use crate::wire::{bytes_with_pulses, low_pulses, single_pulse_bytes};

use super::answer::{Bits, Character, Pulses, Relation, Utf8};
use super::question::CONTROLS;

pub(super) fn character(byte: u8) -> Character {
    let control = match byte {
        0x7F => Some("DEL"),
        byte => CONTROLS.get(usize::from(byte)).copied(),
    };
    let utf8 = match byte {
        0x80..=0xBF => Some(Utf8::Continues),
        0xC2..=0xDF => Some(Utf8::Starts(2)),
        0xE0..=0xEF => Some(Utf8::Starts(3)),
        0xF0..=0xF4 => Some(Utf8::Starts(4)),
        _ => None,
    };
    let bcd = (byte >> 4 <= 9 && byte & 15 <= 9).then_some((byte >> 4) * 10 + (byte & 15));
    Character { printable: (0x20..0x7F).contains(&byte).then_some(char::from(byte)), control, utf8, bcd }
}

pub(super) fn bits(byte: u8) -> Bits {
    Bits {
        pattern: format!("{:04b} {:04b}", byte >> 4, byte & 15),
        on_the_line: format!("0 {:08b} 1", byte.reverse_bits()),
        ones: byte.count_ones(),
        even_parity_bit: byte.count_ones() % 2 == 1,
    }
}

pub(super) fn pulses(byte: u8) -> Pulses {
    let needed = low_pulses(byte);
    let mut levels = vec![false];
    levels.extend((0..8).map(|bit| byte >> bit & 1 == 1));
    levels.push(true);
    Pulses {
        byte,
        levels,
        needed,
        as_many: bytes_with_pulses(needed),
        by_one: single_pulse_bytes().collect(),
    }
}

pub(super) fn relatives(byte: u8) -> Vec<(Relation, u8)> {
    let all = [
        (Relation::Reversed, byte.reverse_bits()),
        (Relation::Complement, !byte),
        (Relation::ReversedComplement, !byte.reverse_bits()),
        (Relation::OtherTopBit, byte ^ 0x80),
    ];
    all.into_iter().filter(|(_, other)| *other != byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_mark_is_a_letter_with_a_reversed_twin_and_needs_three_pulses() {
        assert_eq!(character(0x68).printable, Some('h'));
        assert_eq!(bits(0x68).on_the_line, "0 00010110 1");
        assert!(bits(0x68).even_parity_bit);
        assert_eq!(relatives(0x68)[0], (Relation::Reversed, 0x16));
        let pulses = pulses(0x68);
        assert_eq!((pulses.needed, pulses.as_many), (3, 126));
        assert!(!pulses.by_one.contains(&0x68));
    }

    #[test]
    fn control_characters_have_their_names() {
        assert_eq!(character(0x15).control, Some("NAK"));
        assert_eq!(character(0x7F).control, Some("DEL"));
        assert_eq!(character(0x80).control, None);
    }
}
