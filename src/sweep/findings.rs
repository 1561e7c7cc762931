//! What a sweep found: ranked settings, what was tried, and why.

use crate::line::{Baud, Format, Instant, LineErrors, Settings, Span};

/// How a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// One candidate, verified by listening at it.
    Found,
    /// Several candidates explain what was heard, and listening cannot tell them apart.
    Ambiguous,
    /// Nothing arrived at all.
    Silent,
    /// Something arrived, but not enough or not consistent.
    Undecided,
}

impl Verdict {
    /// The word of `hsdiag.sweep/1`.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Found => "found",
            Verdict::Ambiguous => "ambiguous",
            Verdict::Silent => "silent",
            Verdict::Undecided => "undecided",
        }
    }
}

/// Everything a sweep knows; complete at any time, also when it is interrupted.
#[derive(Clone, Debug, PartialEq)]
pub struct Findings {
    pub verdict: Verdict,
    /// Likeliest first. Probabilities of all candidates, told and untold, add up to at most 1.
    pub settings: Vec<Candidate>,
    /// The settings per stretch of time, in order; more than one when the device changed its rate.
    pub stretches: Vec<Stretch>,
    /// Every listen, in order.
    pub listens: Vec<Listen>,
    /// The same clean bytes came at very different rates: the rate has no effect on this port (native USB CDC).
    pub rate_has_no_effect: bool,
    /// Whether the error flags of this port could be used.
    pub line_errors: LineErrors,
    /// Rates the port refused, with its reasons.
    pub refused: Vec<(Baud, String)>,
    /// Bytes and breaks received in all listens.
    pub received: usize,
    pub elapsed: Span,
    pub evidence: Vec<Evidence>,
}

/// One answer to "which settings?", with what speaks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The nominal rate (the standard rate within 3.5 %, else the measured one rounded), format and polarity.
    pub settings: Settings,
    /// Formats that listening cannot tell from this one (8N2 from 8N1; without error reports also those with parity).
    pub alike: Vec<Format>,
    /// The sender's rate as measured from the bytes.
    pub measured_baud: f64,
    /// The protocol that was recognised, if one was.
    pub protocol: Option<ProtocolScore>,
    pub probability: f64,
    /// Bytes received while listening at this rate.
    pub bytes: usize,
    pub faults: Faults,
    /// A listen at this rate confirmed it.
    pub verified: bool,
}

/// Faults as the port reported them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    pub framing: usize,
    pub parity: usize,
    pub breaks: usize,
    pub overrun: usize,
}

/// What a protocol scorer says of the bytes at a candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct ProtocolScore {
    pub name: String,
    /// Whole frames with valid checksums, and frames that begin well and end wrong.
    pub valid: usize,
    pub invalid: usize,
    /// Natural logarithm of how much better this protocol explains the bytes than chance does.
    pub log_weight: f64,
}

/// Settings that held from one time to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    pub from: Instant,
    pub until: Instant,
    pub best: Candidate,
}

/// One listen.
#[derive(Clone, Debug, PartialEq)]
pub struct Listen {
    pub from: Instant,
    pub until: Instant,
    /// What the driver says it set.
    pub settings: Settings,
    /// What was asked for.
    pub asked: Baud,
    pub purpose: Purpose,
    pub bytes: usize,
    pub faults: Faults,
}

/// Why a listen was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Where what comes would tell most.
    Measure,
    /// At the likeliest rate, to see it confirmed.
    Verify,
    /// At another rate, to see whether the rate has any effect.
    CrossCheck,
    /// A step of the walk, high to low.
    Walk,
    /// At the settings a walk has found, for the protocol.
    Stay,
}

/// Why the sweep says what it says; words are chosen by the report.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// At this rate, so many characters came and so many of them carried a fault the format does not explain.
    Clean { baud: Baud, characters: usize, unexplained: usize },
    /// Framing errors came exactly with bytes of even (or odd) weight: a parity bit read as a stop bit.
    ParityByFraming { even: bool, flagged: usize, characters: usize },
    /// All bytes have even (or odd) weight, so bit 7 is parity.
    ParityInBit7 { even: bool, characters: usize, by_chance: f64 },
    /// Bit 7 was always 1: seven data bits and a second stop bit.
    Bit7AlwaysMark { characters: usize },
    /// Received bytes carry the sender's bit time.
    BitTime { measured_baud: f64, listens: usize, characters: usize },
    /// The bytes fit a line with mark and space exchanged better, by this factor (natural logarithm).
    Inverted { log_factor: f64 },
    /// The rate that fits changed at this time.
    RateChanged { at: Instant, from: Baud, to: Baud },
    /// The adapter cannot report line errors, so parity cannot be learned by listening.
    NoErrorReports,
    /// So long without a character.
    Silence { listened: Span },
    /// The same bytes at very different rates.
    SameAtAnyRate { rates: Vec<Baud> },
    /// Rates within 4 % of each other fit alike.
    RatesAlike { bauds: Vec<Baud> },
    /// An opener of this protocol at these settings was answered by so many bytes.
    Answered { protocol: String, settings: Settings, bytes: usize, by_chance: f64 },
    /// Something came upon an opener of this protocol, but no answer of it.
    OtherAnswer { protocol: String, settings: Settings, bytes: usize },
    /// What was sent comes back, so many bytes at these settings; it was taken out of what came upon the questions behind it.
    Echo { settings: Settings, bytes: usize },
    /// So many openers were sent, and none was answered.
    NoAnswer { openers: usize },
    /// The adaptive search gave no answer, so all rates were walked.
    FellBackToWalk { after_listens: usize },
}
