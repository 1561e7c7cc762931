//! What each received byte was: part of a frame, a header, a status, text, a misread character, noise, an echo.

use super::bytes::Bytes;
use super::model::Model;
use super::window::Standing;

/// What a byte, or a run of bytes, was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Where a frame begins.
    Header,
    /// Part of a frame.
    Frame,
    /// A whole answer: an acknowledgement, a refusal, a status.
    Status,
    Text,
    /// A character that was sent and read as another.
    Missampled,
    /// Nobody sent it.
    Noise,
    /// The own byte, heard back.
    Echo,
    Unknown,
}

impl Verdict {
    /// The word of `hsdiag.decode/1`.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Header => "header",
            Verdict::Frame => "frame",
            Verdict::Status => "status",
            Verdict::Text => "text",
            Verdict::Missampled => "missampled",
            Verdict::Noise => "noise",
            Verdict::Echo => "echo",
            Verdict::Unknown => "unknown",
        }
    }
}

/// A verdict is given when it is at least as likely as this.
const SURE: f64 = 0.5;

impl Bytes<'_> {
    /// What the event at `place` was, and how sure that is.
    pub fn verdict(&self, place: usize, model: &Model) -> (Verdict, f64) {
        let heard = self.heard(place);
        let features = self.features(place);
        let Some((class, probability)) =
            model.class(&features).into_iter().max_by(|a, b| a.1.total_cmp(&b.1))
        else {
            return (Verdict::Unknown, 0.0);
        };
        let verdict = match class {
            _ if probability < SURE => Verdict::Unknown,
            "missampled" => Verdict::Missampled,
            "noise" => Verdict::Noise,
            "echo" => Verdict::Echo,
            _ if self.is_in_text(place) && heard.standing != Standing::Frame => Verdict::Text,
            _ => match heard.standing {
                Standing::Frame | Standing::Damaged => Verdict::Frame,
                Standing::Odd => Verdict::Status,
                Standing::Open | Standing::Unexpected => Verdict::Header,
            },
        };
        (verdict, probability)
    }
}
