//! Puts flaws where the file says what they are about.

use crate::frame::At;
use crate::protocol::findings::Findings;
use crate::protocol::mistake::Severity;
use crate::protocol::places::{self, Places};

use super::flaw::{Flaw, Place};

/// Tells every flaw at its place in the file.
pub(in crate::protocol) fn tell(flaws: Vec<Flaw>, places: &Places, found: &mut Findings<'_>) {
    for Flaw { severity, place, says, help } in flaws {
        let whole = |part: Option<&places::Place>| part.map(|part| part.name.clone()).unwrap_or_default();
        let inside = |part: &places::Place, at: At| found.place(&part.text, at);
        let range = match place {
            Place::Frame(id) => whole(places.frames.get(id.0)),
            Place::Exchange(id) => whole(places.exchanges.get(id.0)),
            Place::State(id) => whole(places.states.get(id.0)),
            Place::Vector(index) => whole(places.vectors.get(index)),
            Place::Talk(id, at) => {
                places.exchanges.get(id.0).map(|part| inside(part, at)).unwrap_or_default()
            }
            Place::Handshake(at) => inside(&places.handshake, at),
            Place::Poll(at) => inside(&places.poll, at),
            Place::Probe(at) => inside(&places.probe, at),
            Place::Flash(run, at) => {
                let place = places.flash.iter().find(|(of, _)| *of == run);
                place.map(|(_, part)| inside(part, at)).unwrap_or_default()
            }
        };
        let told = match severity {
            Severity::Error => found.error(range, says),
            Severity::Warning => found.warning(range, says),
        };
        help.into_iter().for_each(|help| told.help(help));
    }
}
