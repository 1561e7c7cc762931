//! Marks that the Unix terminal discipline puts into the data when `PARMRK` is on (POSIX.1-2017, 11.2.2), taken out again.
//!
//! A good `FF` comes doubled; `FF 00 xx` is a byte with a framing or parity error, and POSIX does not say which; `FF 00 00` is a break,
//! or a bad `00`. The byte behind `FF 00` is never doubled, even if it is `FF` itself.

/// What stood in the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked {
    Good(u8),
    /// A byte with a framing or parity error.
    Bad(u8),
    /// A break, or a bad `00`.
    BreakOrBadNul,
}

/// Takes the marks out of a stream, however it is cut into reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parmrk {
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Plain,
    /// Behind `FF`.
    Escape,
    /// Behind `FF 00`.
    Mark,
}

impl Parmrk {
    /// Appends what `bytes` say.
    pub fn take(&mut self, bytes: &[u8], out: &mut Vec<Marked>) {
        for &byte in bytes {
            self.state = match (self.state, byte) {
                (State::Plain, 0xFF) => State::Escape,
                (State::Escape, 0) => State::Mark,
                (state, byte) => {
                    match state {
                        State::Plain => out.push(Marked::Good(byte)),
                        State::Escape if byte == 0xFF => out.push(Marked::Good(0xFF)),
                        // Not marked after all (another program has switched the marks off): both are data.
                        State::Escape => out.extend([Marked::Good(0xFF), Marked::Good(byte)]),
                        State::Mark if byte == 0 => out.push(Marked::BreakOrBadNul),
                        State::Mark => out.push(Marked::Bad(byte)),
                    }
                    State::Plain
                }
            };
        }
    }

    /// Forgets a mark that was begun: the queue behind it has been emptied.
    pub fn reset(&mut self) {
        self.state = State::Plain;
    }
}

/// The bytes as the discipline would write them, for a simulated driver.
#[cfg(any(test, target_os = "linux"))]
pub fn mark(marked: Marked, out: &mut Vec<u8>) {
    match marked {
        Marked::Good(0xFF) => out.extend([0xFF, 0xFF]),
        Marked::Good(byte) => out.push(byte),
        Marked::Bad(byte) => out.extend([0xFF, 0, byte]),
        Marked::BreakOrBadNul => out.extend([0xFF, 0, 0]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn taken(bytes: &[u8]) -> Vec<Marked> {
        let mut out = Vec::new();
        Parmrk::default().take(bytes, &mut out);
        out
    }

    #[test]
    fn the_marks_of_posix_are_told_apart() {
        use Marked::{Bad, BreakOrBadNul, Good};
        let bytes = [0x68, 0xFF, 0xFF, 0, 0xFF, 0, 0x41, 0xFF, 0, 0xFF, 0x42, 0xFF, 0, 0, 0xFF, 0x43];
        assert_eq!(
            taken(&bytes),
            [
                Good(0x68),
                Good(0xFF),
                Good(0),
                Bad(0x41),
                Bad(0xFF),
                Good(0x42),
                BreakOrBadNul,
                Good(0xFF),
                Good(0x43)
            ]
        );
    }

    #[test]
    fn a_mark_that_the_queue_was_emptied_behind_is_forgotten() {
        let (mut decoder, mut out) = (Parmrk::default(), Vec::new());
        decoder.take(&[0xFF, 0], &mut out);
        decoder.reset();
        decoder.take(&[0x41], &mut out);
        assert_eq!(out, [Marked::Good(0x41)]);
    }

    fn marked() -> impl Strategy<Value = Marked> {
        let byte = prop_oneof![Just(0xFF_u8), Just(0), any::<u8>()];
        (byte, 0..4).prop_map(|(byte, kind)| match kind {
            0 if byte != 0 => Marked::Bad(byte),
            1 => Marked::BreakOrBadNul,
            _ => Marked::Good(byte),
        })
    }

    proptest! {
        #[test]
        fn what_a_driver_marks_is_read_back_however_it_is_cut(
            sent in proptest::collection::vec(marked(), 0..100),
            cuts in proptest::collection::vec(1_usize..5, 1..50),
        ) {
            let mut bytes = Vec::new();
            sent.iter().for_each(|m| mark(*m, &mut bytes));
            let (mut decoder, mut out, mut rest) = (Parmrk::default(), Vec::new(), &bytes[..]);
            for cut in cuts.iter().cycle() {
                let (chunk, left) = rest.split_at((*cut).min(rest.len()));
                decoder.take(chunk, &mut out);
                rest = left;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(out, sent);
        }
    }
}
