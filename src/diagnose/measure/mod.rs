//! From a window to numbers: what the line reported, which rate fits, when things came, what the conversation made of them.

mod answers;
mod conversation;
mod damage;
mod echo;
mod interrupted;
mod line;
mod rate;
mod replies;
#[cfg(test)]
pub(super) mod said;
mod senders;
mod spacing;
mod stretches;
mod surroundings;
mod text;
mod timing;

pub use damage::Damage;
pub use echo::echoes;
pub use interrupted::Interrupted;
pub use replies::{Beside, beside, follows_a_turn, lone_pulses};
pub use stretches::Stretches;
pub use surroundings::{Place, is_at_an_edge, pieces, places};

use crate::frame::Name;

use super::edges::Edges;
use super::evidence::Evidence;
use super::window::Window;

/// What only somebody with the tables can measure: how well the same bytes are explained otherwise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Otherwise {
    /// Of the bytes that belong to no healthy frames, how many do when each received byte's bits are reversed...
    pub reversed: f64,
    /// ... when all bits are exchanged...
    pub complemented: f64,
    /// ... and when bit 7 is taken for parity and cleared.
    pub masked: f64,
    /// How well this protocol explains the bytes, against chance (natural logarithm).
    pub own_weight: f64,
    /// How well it explains them that they are text.
    pub text_weight: f64,
    /// The best other protocol.
    pub other: Option<super::others::Other>,
    /// Of the damaged frames that were tried, how many are healthy with one bit the other way: mended, tried.
    pub mended: (usize, usize),
    /// Of the received pieces that are not what was due, how many have right sums: right, looked at.
    pub summed: (usize, usize),
    /// What the spoilt replies hold by the frames of the table alone.
    pub stretches: Stretches,
    /// Where the conversation was hurt.
    pub damage: Damage,
    /// What was held back, and what began too late.
    pub interrupted: Interrupted,
    /// Pieces of frames at the beginning and at the end that were left out.
    pub edges: Edges,
    /// The device was asked in ways that the window does not show: it was listened to at every rate.
    pub asked: bool,
    /// Frames by which a device refuses, also where the conversation lets them come.
    pub refusals: Vec<Name>,
    /// Frames of the host's side that the expected replies would have been, for the arithmetic of misread replies.
    pub expected: Vec<Vec<u8>>,
}

/// Everything that can be measured of a window.
pub fn measure(window: &Window, otherwise: &Otherwise) -> Evidence {
    let mut evidence = Evidence::default();
    line::measure(window, &mut evidence);
    rate::measure(window, otherwise, &mut evidence);
    spacing::measure(window, &mut evidence);
    timing::measure(window, &mut evidence);
    replies::measure(window, &mut evidence);
    stretches::measure(&otherwise.stretches, &mut evidence);
    damage::measure(&otherwise.damage, &mut evidence);
    interrupted::measure(&otherwise.interrupted, &mut evidence);
    answers::measure(window, &mut evidence);
    echo::measure(window, &mut evidence);
    conversation::measure(window, otherwise, &mut evidence);
    text::measure(window, &mut evidence);
    // A recording begins and ends where somebody pressed a button: a piece of a frame there says little.
    let is = |count: usize| f64::from(u8::from(count > 0));
    evidence.number("head-cut", is(otherwise.edges.head));
    evidence.number("tail-cut", is(otherwise.edges.tail));
    evidence
}
