//! How the byte that was expected becomes the one that came: rate, format, polarity, bit order, or damaged bits.

use crate::line::{Fault, STANDARD_BAUDS, Settings};
use crate::wire::{Turn, turns};

use super::answer::{Expected, Way};

/// Every way from `expected` to `received` for a receiver with these settings.
pub(super) fn turned(expected: u8, received: u8, receiver: Settings) -> Expected {
    let ways = turns(expected, received, receiver).into_iter().map(|turn| way(turn, receiver)).collect();
    Expected::of(expected, received, receiver, ways)
}

fn way(turn: Turn, receiver: Settings) -> Way {
    match turn {
        Turn::Ratio { from, to, alone, framing_error } => {
            let hz = receiver.baud.hz();
            let among = |rate: &u32| (from * hz * 0.995..=to * hz * 1.005).contains(&f64::from(*rate));
            let rates = STANDARD_BAUDS.into_iter().filter(among).collect();
            Way::Rate { from, to, rates, alone, framing_error }
        }
        Turn::Format { sender, fault } => Way::Format { sender: sender.to_string(), fault: fault.map(word) },
        Turn::Inverted { fault } => Way::Inverted { fault: fault.map(word) },
        Turn::BitOrder => Way::BitOrder,
        Turn::Complement => Way::Complement,
        Turn::Slip { bits } => Way::Slip { bits },
        Turn::BitFlips { mask } => Way::BitFlips { mask, count: mask.count_ones() },
    }
}

fn word(fault: Fault) -> &'static str {
    match fault {
        Fault::Framing => "framing error",
        Fault::Parity => "parity error",
        Fault::FramingOrParity => "framing or parity error",
        Fault::Break => "break",
        Fault::Overrun => "overrun",
    }
}
