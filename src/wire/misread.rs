//! The forward model, given what was sent: what a receiver at other settings would have made of it.
//!
//! The receiver samples each bit once, half a bit and half a tick behind the edge it found (the mean of a sixteen-times receiver), checks
//! the start bit, and looks for the next edge to space from the middle of the stop bit on. No chance is involved.

use crate::line::{Fault, Instant, Settings};

use super::transmit::{Drift, Transmitter};
use super::waveform::{Level, Waveform};

/// How the characters follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spacing {
    /// The next start bit follows the last stop bit at once.
    BackToBack,
    /// So far apart that each is received alone.
    Isolated,
    /// So many of the sender's bit times of rest between two characters.
    Bits(f64),
}

/// What one character was received as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Received {
    pub byte: u8,
    /// `None`, `Framing` or `Parity`. A break is a 00 with a framing error.
    pub fault: Option<Fault>,
}

/// What `receiver` receives when `sent` is sent with the settings of `sender`.
pub fn misread(sent: &[u8], sender: Settings, receiver: Settings, spacing: Spacing) -> Vec<Received> {
    let mut transmitter = Transmitter::new(sender, Drift::default(), 0);
    let mut line = Waveform::resting(transmitter.resting());
    let rest = match spacing {
        Spacing::BackToBack => 0.0,
        Spacing::Bits(bits) => bits,
        Spacing::Isolated => 2.0 + 13.0 * sender.baud.hz() / receiver.baud.hz(),
    };
    let mut end = 0.0;
    for byte in sent {
        let at = Instant::from_secs(if end == 0.0 { transmitter.bit_secs() } else { 0.0 });
        end = transmitter.send(&mut line, u16::from(*byte), at).secs();
        transmitter.rest(rest);
    }
    sample(&line, receiver, -1.0)
}

/// What the first characters are received as when the sender's driver takes the line so late that so many of its bits, one and more, are
/// not on it: once for each count of bits, up to the whole first character.
pub fn late_starts(sent: &[u8], settings: Settings) -> Vec<Option<Received>> {
    let mut transmitter = Transmitter::new(settings, Drift::default(), 0);
    let mut line = Waveform::resting(transmitter.resting());
    let begin = transmitter.bit_secs();
    transmitter.send_all(&mut line, sent, Instant::from_secs(begin));
    let lost = |bits: u32| {
        let mut line = line.clone();
        line.force(0.0, begin * (1.0 + f64::from(bits)), Level::of(!settings.inverted));
        sample(&line, settings, -1.0).first().copied()
    };
    (1..settings.format.bits().floor() as u32).map(lost).collect()
}

fn sample(line: &Waveform, receiver: Settings, from: f64) -> Vec<Received> {
    const DELAY: f64 = 0.5 + 1.0 / 32.0;
    let bit_time = 1.0 / receiver.baud.hz();
    let level = |bit: bool| Level::of(bit != receiver.inverted);
    let count = receiver.format.data.count();
    let mut received = Vec::new();
    let mut now = from;
    while let Some(edge) = line.next_edge_to(level(false), now) {
        let centre = |index: u32| edge + (f64::from(index) + DELAY) * bit_time;
        let bit = |index: u32| line.level_at(centre(index)) == level(true);
        if bit(0) {
            now = centre(0);
            continue;
        }
        let place = |index: u32| if receiver.msb_first { count - 1 - index } else { index };
        let data = (0..count).fold(0u16, |data, index| data | u16::from(bit(1 + index)) << place(index));
        let wanted = receiver.format.parity.bit(data);
        let stop = 1 + count + u32::from(wanted.is_some());
        let fault = if !bit(stop) {
            Some(Fault::Framing)
        } else if wanted.is_some_and(|wanted| wanted != bit(1 + count)) {
            Some(Fault::Parity)
        } else {
            None
        };
        received.push(Received { byte: data as u8, fault });
        now = centre(stop);
    }
    received
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Baud, Format};

    /// Isolated characters, sender over receiver rate; `!` marks a framing error, `-` that nothing came.
    const TABLE: &str = "
        T/R   | 68       | 16        | E5        | 10      | 7F    | 79        | 1F     | 55        | C0  | 7E     | 02      | 06      | 15            | 43        | 00  | FF
        0.125 | 00! 80 80 | 00! 80 00! | 80 80 00! | 00! 00! | 80 80 | 80 00! 80 | 80 00! | 80 80 80 80 80 | 00! | 00! 80 | 00! 00! | 00! 00! | 80 80 80 00! | 80 00! 80 | 00! | 80
        0.25  | 00! F8 F8 | 80 78!    | 78! 80    | 00! 00! | F8 F8 | 78! F8    | F8 00! | 78! 78! F8 | 00! | 80 F8 | 80 00! | 80 00! | 78! 78! | F8 00! F8 | 00! | F8
        0.5   | 80 9E    | 78! E0    | 66!       | 00! E0  | FE FE | 86 FE     | FE E0  | 66! E6    | 00! | F8 FE  | 18!     | 78!     | 66! E0        | 1E! FE    | 00! | FE
        0.667 | 20 FF    | DC!       | 1B        | C0!     | FF FF | E3 FF     | FF!    | DB! FF    | 00! | FC FF  | 04!     | 1C!     | DB!           | 07! FF    | 00! | FF
        0.92  | E8!      | 16!       | E5        | 10!     | FF!   | F9!       | 1F!    | 95!       | 80  | FE!    | 02!     | 06!     | 15!           | 83!       | 00! | FF
        1.087 | B8       | 86        | F5        | 80      | BF    | B9        | 8F     | A5        | E0  | BE     | 82      | 86      | 85            | A3        | 80  | FF
        1.5   | E8       | E7        | FA        | E4      | EF    | EC        | E7     | E6        | F0  | EF     | E1      | E3      | E6            | E1        | E0  | FF
        2     | FC       | FB        | FF        | FA      | -     | FF        | FF     | -         | FC  | FF     | F8      | F9      | FF            | FC        | F8  | -
        3     | FF       | FC        | FF        | FC      | -     | FF        | FF     | -         | FE  | FF     | FC      | FC      | FF            | FF        | FC  | -
        4     | FF       | FF        | FF        | FE      | -     | FF        | FF     | FE        | FE  | -      | FF      | FF      | FE            | FF        | FE  | -";

    fn shown(byte: u8, ratio: f64) -> String {
        let receiver = Settings::new(Baud::nearest(1_000_000.0), Format::N8);
        let sender = receiver.with_baud(Baud::nearest(1_000_000.0 * ratio));
        let received = misread(&[byte], sender, receiver, Spacing::Isolated);
        let word = |r: &Received| format!("{:02X}{}", r.byte, if r.fault.is_some() { "!" } else { "" });
        if received.is_empty() { "-".into() } else { received.iter().map(word).collect::<Vec<_>>().join(" ") }
    }

    #[test]
    fn isolated_characters_at_other_rates_are_received_as_in_the_table() {
        let mut rows = TABLE.trim().lines().map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
        let head = rows.next().unwrap();
        let mut wrong = Vec::new();
        for row in rows {
            for (byte, expected) in head.iter().zip(&row).skip(1) {
                let byte = u8::from_str_radix(byte, 16).unwrap();
                let seen = shown(byte, row[0].parse().unwrap());
                if seen != *expected {
                    wrong.push(format!("{} {byte:02X}: {seen}, not {expected}", row[0]));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn inverted_isolated_characters_end_in_a_framing_error() {
        let receiver = Settings::new(Baud::nearest(9600.0), Format::N8);
        let sender = Settings { inverted: true, ..receiver };
        for (sent, seen) in
            [(0x68, 0x09), (0x16, 0x3A), (0x55, 0x55), (0x79, 0x43), (0xE5, 0x0D), (0x41, 0x5F)]
        {
            let received = misread(&[sent], sender, receiver, Spacing::Isolated);
            assert_eq!(
                received.first(),
                Some(&Received { byte: seen, fault: Some(Fault::Framing) }),
                "{sent:02X}"
            );
        }
    }

    #[test]
    fn a_device_that_sends_the_highest_bit_first_swaps_start_and_stop_of_mbus() {
        let receiver = Settings::new(Baud::nearest(2400.0), Format::E8);
        let sender = Settings { msb_first: true, ..receiver };
        let received = misread(&[0x68, 0x16], sender, receiver, Spacing::BackToBack);
        assert_eq!(received, [Received { byte: 0x16, fault: None }, Received { byte: 0x68, fault: None }]);
    }

    #[test]
    fn a_driver_that_comes_late_makes_few_bytes_of_each() {
        let settings = Settings::new(Baud::nearest(9600.0), Format::N8);
        let bytes = |sent: &[u8]| {
            let mut bytes: Vec<u8> =
                late_starts(sent, settings).into_iter().flatten().map(|received| received.byte).collect();
            bytes.dedup();
            bytes
        };
        // 79 is 0 1001 1110 1 on the line: the zeros that are left begin what is received.
        assert_eq!(bytes(&[0x79]), [0xDE, 0xEF, 0xFF]);
        assert_eq!(bytes(&[0xE5]), [0xF9, 0xFE, 0xFF]);
    }
}
