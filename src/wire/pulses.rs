//! Arithmetic of single bytes: how many pulses one needs, and what would turn one byte into another.

use crate::line::{Baud, DataBits, Fault, Format, Parity, Settings, StopBits};

use super::misread::{Spacing, misread};

/// The bytes that one pulse to space can make on a line at rest, shortest pulse first: the pulse is the start bit and the zeros behind it.
pub fn single_pulse_bytes() -> impl Iterator<Item = u8> {
    (0..=8u32).map(|zeros| 0xFFu8.checked_shl(zeros).unwrap_or(0))
}

/// How many separate low pulses an 8N1 character needs, its start bit counted: one for each stretch of zeros.
pub fn low_pulses(byte: u8) -> u32 {
    // Start bit below, stop bit above; a stretch begins where a 0 follows a 1 (or the idle line).
    let line = 1u16 << 9 | u16::from(byte) << 1;
    (!line & (line << 1 | 1) & 0x3FF).count_ones()
}

/// How many bytes need so many pulses.
pub fn bytes_with_pulses(pulses: u32) -> usize {
    (0..=255u8).filter(|byte| low_pulses(*byte) == pulses).count()
}

/// One way in which a byte that was sent becomes the one that was received.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Turn {
    /// The sender's rate over the receiver's, from and to; `alone` when it is the only byte received for it.
    Ratio { from: f64, to: f64, alone: bool, framing_error: bool },
    /// The sender uses this format, and the receiver the one that was given.
    Format { sender: Format, fault: Option<Fault> },
    /// Mark and space are exchanged.
    Inverted { fault: Option<Fault> },
    /// The lowest bit was taken for the highest.
    BitOrder,
    /// All bits are exchanged (an inverted data path behind the receiver, not an inverted line).
    Complement,
    /// So many bits differ: these.
    BitFlips { mask: u8 },
    /// The receiver found its start so many bits late (or early, if negative), within a stream of this very byte.
    Slip { bits: i32 },
}

/// All the ways in which `sent` can be received as `received` by a receiver with these settings, one character alone on the line.
/// Ratios are tried from an eighth to eight in steps of half a per cent; of these only the stretches that make `received` the first
/// byte are told. Bit flips come last: they can always be.
pub fn turns(sent: u8, received: u8, receiver: Settings) -> Vec<Turn> {
    let mut turns = ratios(sent, received, receiver);
    for format in other_formats(receiver.format) {
        let sender = receiver.with_format(format);
        let heard = misread(&[sent], sender, receiver, Spacing::Isolated);
        let alone = misread(&[sent], receiver, receiver, Spacing::Isolated);
        if let Some(first) = heard.first().filter(|first| first.byte == received && heard != alone) {
            turns.push(Turn::Format { sender: format, fault: first.fault });
        }
    }
    let inverted = Settings { inverted: !receiver.inverted, ..receiver };
    let heard = misread(&[sent], inverted, receiver, Spacing::Isolated);
    if let Some(first) = heard.first().filter(|first| first.byte == received) {
        turns.push(Turn::Inverted { fault: first.fault });
    }
    if sent != received {
        if sent.reverse_bits() == received {
            turns.push(Turn::BitOrder);
        }
        if !sent == received {
            turns.push(Turn::Complement);
        }
        let stream = stream_of(sent);
        for bits in (-4i32..=4).filter(|bits| *bits != 0) {
            if stream >> (10 + bits + 1) & 0xFF == u32::from(received) {
                turns.push(Turn::Slip { bits });
            }
        }
        turns.push(Turn::BitFlips { mask: sent ^ received });
    }
    turns
}

/// Three 8N1 characters of one byte, back to back, first bit lowest.
fn stream_of(byte: u8) -> u32 {
    let character = 1u32 << 9 | u32::from(byte) << 1;
    character | character << 10 | character << 20
}

fn ratios(sent: u8, received: u8, receiver: Settings) -> Vec<Turn> {
    const STEP: f64 = 1.005;
    // Ratios matter, not rates: computed at a receiver rate where every ratio is a rate.
    let receiver = receiver.with_baud(Baud::nearest(1e6));
    let mut turns: Vec<Turn> = Vec::new();
    let mut last_step = i32::MIN;
    for step in -417..=417 {
        let ratio = STEP.powi(step);
        let sender = receiver.with_baud(Baud::nearest(1e6 * ratio));
        let heard = misread(&[sent], sender, receiver, Spacing::Isolated);
        let Some(first) = heard.first().filter(|first| first.byte == received) else { continue };
        let framing = first.fault == Some(Fault::Framing);
        let only = heard.len() == 1;
        match turns.last_mut() {
            Some(Turn::Ratio { to, alone, framing_error, .. })
                if last_step == step - 1 && *alone == only && *framing_error == framing =>
            {
                *to = ratio;
            }
            _ => turns.push(Turn::Ratio { from: ratio, to: ratio, alone: only, framing_error: framing }),
        }
        last_step = step;
    }
    turns
}

fn other_formats(format: Format) -> impl Iterator<Item = Format> {
    let shapes = [DataBits::Seven, DataBits::Eight].into_iter();
    let all = shapes.flat_map(|data| Parity::ALL.map(|parity| Format { data, parity, stop: StopBits::One }));
    all.filter(move |other| (other.data, other.parity) != (format.data, format.parity))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_8n1() -> Settings {
        Settings::new(Baud::nearest(115_200.0), Format::N8)
    }

    #[test]
    fn one_pulse_makes_nine_bytes_and_no_other() {
        let bytes: Vec<u8> = single_pulse_bytes().collect();
        assert_eq!(bytes, [0xFF, 0xFE, 0xFC, 0xF8, 0xF0, 0xE0, 0xC0, 0x80, 0x00]);
        assert!((0..=255).all(|byte| (low_pulses(byte) == 1) == bytes.contains(&byte)));
    }

    #[test]
    fn pulses_per_byte_are_as_counted_by_hand() {
        assert_eq!([1, 2, 3, 4, 5].map(bytes_with_pulses), [9, 84, 126, 36, 1]);
        for (byte, pulses) in
            [(0x68, 3), (0x16, 3), (0xE5, 3), (0x7F, 2), (0x10, 2), (0x15, 4), (0x55, 5), (0x00, 1)]
        {
            assert_eq!(low_pulses(byte), pulses, "{byte:02X}");
        }
    }

    #[test]
    fn a_half_rate_receiver_reads_fb_for_16() {
        let turns = turns(0x16, 0xFB, at_8n1());
        let within = |turn: &Turn| matches!(turn, Turn::Ratio { from, to, .. } if *from <= 2.0 && *to >= 2.0);
        assert!(turns.iter().any(within), "{turns:?}");
        assert_eq!(turns.last(), Some(&Turn::BitFlips { mask: 0x16 ^ 0xFB }));
    }

    #[test]
    fn a_parity_bit_a_polarity_and_a_bit_order_are_found() {
        let even = turns(0x55, 0x55, at_8n1());
        assert!(even.contains(&Turn::Format { sender: Format::E8, fault: Some(Fault::Framing) }), "{even:?}");
        let inverted = turns(0x68, 0x09, at_8n1());
        assert!(inverted.contains(&Turn::Inverted { fault: Some(Fault::Framing) }), "{inverted:?}");
        assert!(turns(0x68, 0x16, at_8n1()).contains(&Turn::BitOrder));
        assert!(turns(0x68, 0x97, at_8n1()).contains(&Turn::Complement));
    }

    #[test]
    fn a_slipped_start_is_found_in_the_stream() {
        let slipped = (stream_of(0x41) >> 13 & 0xFF) as u8;
        assert!(turns(0x41, slipped, at_8n1()).contains(&Turn::Slip { bits: 2 }));
    }
}
