//! Whose talk is walked.

use crate::frame::At;
use crate::protocol::flash::FlashRun;
use crate::protocol::model::ExchangeId;

use super::super::flaw::Place;

#[derive(Clone, Copy)]
pub(super) enum Spot {
    Exchange(ExchangeId),
    Handshake,
    Poll,
    Probe,
    Flash(FlashRun),
}

impl Spot {
    pub(super) fn at(self, at: At) -> Place {
        match self {
            Spot::Exchange(id) => Place::Talk(id, at),
            Spot::Handshake => Place::Handshake(at),
            Spot::Poll => Place::Poll(at),
            Spot::Probe => Place::Probe(at),
            Spot::Flash(run) => Place::Flash(run, at),
        }
    }
}
