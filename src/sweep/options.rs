//! What a sweep is asked to do.

use crate::line::{Baud, Format, LineErrors, Span};

/// What to look for, how long, and what the port can do.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The whole sweep ends after this, with what is known by then.
    pub time: Span,
    /// When not a single character came for so long, there is nothing to listen to; `None`: listen on to the end.
    pub silence: Option<Span>,
    /// Only these rates are looked for; empty: any rate.
    pub bauds: Vec<Baud>,
    /// Only these formats are looked for; empty: any format.
    pub formats: Vec<Format>,
    /// Walk all rates, high to low, instead of choosing the next one by what was heard.
    pub exhaustive: bool,
    /// Only this protocol is scored. The name is passed on to the scorer and means nothing here.
    pub protocol: Option<String>,
    /// The fastest rate the adapter can be asked for.
    pub fastest: Baud,
    /// How exactly the port reports line errors.
    pub errors: LineErrors,
    /// After a change of rate, what arrives within this span may still be of the old one and is thrown away.
    pub settle: Span,
    /// How long to keep listening after the settings are verified, for the protocol and for a device that changes its rate.
    pub stay: Span,
    /// How long at most, while the protocol is not known and more characters may tell it.
    pub stay_at_most: Span,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            time: Span::from_secs(20),
            silence: None,
            bauds: Vec::new(),
            formats: Vec::new(),
            exhaustive: false,
            protocol: None,
            fastest: Baud::nearest(921_600.0),
            errors: LineErrors::Never,
            settle: Span::from_millis(20),
            stay: Span::from_secs(1),
            stay_at_most: Span::from_secs(5),
        }
    }
}
