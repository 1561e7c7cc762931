//! The catalogue of causes: stable identifiers, what each one is, and what to do about it.

/// Why a conversation is not as it should be, or that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    Clean,
    BaudMismatch,
    FormatMismatch,
    Inverted,
    BitOrder,
    NoiseGlitch,
    NoiseBurst,
    Turnaround,
    Floating,
    Break,
    FlowControl,
    RateIgnored,
    Echo,
    Crosstalk,
    OtherProtocol,
    ApplicationRunning,
    Refused,
    WrongState,
    DeviceReset,
    Interleaved,
    Corrupted,
    Truncated,
    Overrun,
    NoAnswer,
    Undecided,
}

/// What the catalogue says of a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub cause: Cause,
    /// The stable identifier; also the anchor in docs/causes.md.
    pub id: &'static str,
    /// What happens, in one sentence.
    pub explains: &'static str,
    pub remedy: &'static str,
}

impl Cause {
    pub const ALL: [Cause; 25] = {
        let mut all = [Cause::Clean; 25];
        let mut place = 0;
        while place < CATALOGUE.len() {
            all[place] = CATALOGUE[place].cause;
            place += 1;
        }
        all
    };

    pub fn entry(self) -> &'static Entry {
        &CATALOGUE[self as usize]
    }

    pub fn id(self) -> &'static str {
        self.entry().id
    }

    pub fn explains(self) -> &'static str {
        self.entry().explains
    }

    pub fn remedy(self) -> &'static str {
        self.entry().remedy
    }

    pub fn from_id(id: &str) -> Option<Cause> {
        CATALOGUE.iter().find(|entry| entry.id == id).map(|entry| entry.cause)
    }

    /// Where docs/causes.md tells more.
    pub fn link(self) -> String {
        format!("docs/causes.md#{}", self.id())
    }
}

const fn entry(cause: Cause, id: &'static str, explains: &'static str, remedy: &'static str) -> Entry {
    Entry { cause, id, explains, remedy }
}

/// In the order of [`Cause`]; a test holds the two together.
pub const CATALOGUE: [Entry; 25] = [
    entry(Cause::Clean, "clean", "Everything is as the protocol says.", "Nothing is to be done."),
    entry(
        Cause::BaudMismatch,
        "baud-mismatch",
        "The sender runs at another rate than the receiver, so each character is cut at the wrong places.",
        "Set the receiver to the sender's rate; `hsdiag sweep` measures it.",
    ),
    entry(
        Cause::FormatMismatch,
        "format-mismatch",
        "The rate is right, but data bits, parity or stop bits differ: the parity bit is read as data or as a stop bit.",
        "Set the receiver to the format named here.",
    ),
    entry(
        Cause::Inverted,
        "inverted",
        "Mark and space are exchanged: RS-232 levels on a TTL pin, or an inverting driver.",
        "Put an RS-232 transceiver or an inverter between them, or switch the adapter to inverted signals.",
    ),
    entry(
        Cause::BitOrder,
        "bit-order",
        "The sender puts the highest bit first, the receiver expects the lowest.",
        "Reverse the bits of each byte, or set the sender to least significant bit first.",
    ),
    entry(
        Cause::NoiseGlitch,
        "noise-glitch",
        "Single short pulses are taken for start bits or change single bits.",
        "Shorten or shield the cable, connect the grounds, add a pull-up or bias; lower the baud to see whether it goes away.",
    ),
    entry(
        Cause::NoiseBurst,
        "noise-burst",
        "Now and then a stretch of interference spoils many characters in a row.",
        "Look for what is switched at those times (motors, relays, transmitters); shield and ground the line.",
    ),
    entry(
        Cause::Turnaround,
        "turnaround",
        "When the direction changes on an RS-485 bus nobody drives it for a moment, and that dip is read as characters.",
        "Fit bias resistors, or let the driver stay on until the stop bit is over and no longer.",
    ),
    entry(
        Cause::Floating,
        "floating",
        "Nobody drives the receiver's input: it picks up whatever is near.",
        "Connect the sender's TX to this RX and the grounds to each other, or add a pull-up.",
    ),
    entry(
        Cause::Break,
        "break",
        "The line is held at space for longer than a character.",
        "If no break is meant: look for a short to ground, a sender without power, or a driver that is stuck.",
    ),
    entry(
        Cause::FlowControl,
        "flow-control",
        "One side holds the other back: CTS is not asserted, or XOFF was sent.",
        "Switch flow control off on both sides, wire RTS and CTS, or send XON.",
    ),
    entry(
        Cause::RateIgnored,
        "rate-ignored",
        "The port's rate has no effect: native USB has no UART behind it.",
        "Any rate works; if a UART was meant, another port is the right one.",
    ),
    entry(
        Cause::Echo,
        "echo",
        "What was sent comes back: TX touches RX, the bus has one wire, or the other side echoes.",
        "Take the own bytes out of what is received, switch the receiver off while sending, or look for a short.",
    ),
    entry(
        Cause::Crosstalk,
        "crosstalk",
        "Damaged traces of what is sent appear on the receiving wire at the same time.",
        "Part the two wires, put ground between them, lower the edge rate; check that RX is driven at all.",
    ),
    entry(
        Cause::OtherProtocol,
        "other-protocol",
        "The settings are right, but the device speaks another protocol.",
        "Use the protocol named here.",
    ),
    entry(
        Cause::ApplicationRunning,
        "application-running",
        "The application is running where a bootloader was expected: a banner, a log, or a shell answers.",
        "Hold the boot pin while resetting, then try again; `hsdiag flash --reset-sequence` can do it where the lines are wired.",
    ),
    entry(
        Cause::Refused,
        "refused",
        "The device understood and said no.",
        "Do what the decoded error code says.",
    ),
    entry(
        Cause::WrongState,
        "wrong-state",
        "A healthy frame came at the wrong moment: late, twice, or out of order.",
        "Wait longer for answers, throw away what is left of the last exchange, then begin anew.",
    ),
    entry(
        Cause::DeviceReset,
        "device-reset",
        "The device started again in mid-session.",
        "Look at its supply, its watchdog, and whether opening the port moves DTR or RTS.",
    ),
    entry(
        Cause::Interleaved,
        "interleaved",
        "The reply fits somebody else's request: two hosts use the device at once.",
        "Let one program at a time use the port or the bus.",
    ),
    entry(
        Cause::Corrupted,
        "corrupted",
        "Frames arrive with a wrong checksum though the line reports no errors.",
        "Suspect memory or software on the way (buffers, converters, gateways) before the wire.",
    ),
    entry(
        Cause::Truncated,
        "truncated",
        "Frames end before they are whole.",
        "Read until the frame is complete; look for buffers that are too small and time-outs that are too short.",
    ),
    entry(
        Cause::Overrun,
        "overrun",
        "The receiver was not read in time and characters were lost.",
        "Lower the baud, use flow control, or an adapter with a larger buffer.",
    ),
    entry(
        Cause::NoAnswer,
        "no-answer",
        "Nothing comes back.",
        "Check power, ground, TX and RX (swap them), the boot pin, then address and baud.",
    ),
    entry(
        Cause::Undecided,
        "undecided",
        "What was seen does not tell one cause from another.",
        "Make the measurement named here.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_in_the_order_of_the_causes() {
        for (place, cause) in Cause::ALL.into_iter().enumerate() {
            assert_eq!(cause as usize, place, "{}", cause.id());
            assert_eq!(Cause::from_id(cause.id()), Some(cause));
        }
    }

    #[test]
    fn every_cause_has_its_place_in_the_documentation() {
        let page = include_str!("../../docs/causes.md");
        for cause in Cause::ALL {
            assert!(page.contains(&format!("\n## {}\n", cause.id())), "{}", cause.id());
        }
    }
}
