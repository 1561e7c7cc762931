//! The board around a simulated device: what it makes of DTR, RTS and the rate at the other end, as its table's `[reset]` says.

use std::collections::VecDeque;

use crate::line::{Baud, ControlLines, Instant, Settings, Span, span_from_secs};
use crate::protocol::ScriptStep;

/// Watches the host's control lines, and its rate where a script moves that too.
#[derive(Clone, Debug, Default)]
pub struct Board {
    /// Ways into the bootloader that it is wired for.
    enter: Vec<Way>,
    dtr: bool,
    rts: bool,
    seen: VecDeque<(Instant, Levels)>,
}

/// How the other end stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Levels {
    dtr: bool,
    rts: bool,
    baud: Option<Baud>,
}

/// A script as the levels that it leads through, each with the time that it holds at the least.
#[derive(Clone, Debug, Default)]
struct Way {
    levels: Vec<(Levels, Span)>,
    rates: Vec<Baud>,
}

/// More changes than any script has.
const MOST_SEEN: usize = 32;

/// Lines that are moved together arrive one after the other; a level is left out that held no longer than this.
const TOGETHER: Span = Span::from_micros(50);

impl Board {
    pub fn wired(scripts: &[Vec<ScriptStep>]) -> Board {
        let enter = scripts.iter().map(|script| Way::of(script)).filter(|way| way.levels.len() > 1);
        Board { enter: enter.collect(), ..Board::default() }
    }

    /// The other end stands like this now; true when that was the last step of a way into the bootloader.
    pub fn stands(&mut self, now: Instant, settings: Settings, lines: ControlLines) -> bool {
        self.dtr = lines.dtr.unwrap_or(self.dtr);
        self.rts = lines.rts.unwrap_or(self.rts);
        let levels = Levels { dtr: self.dtr, rts: self.rts, baud: Some(settings.baud) };
        if self.seen.back().is_some_and(|(_, last)| *last == levels) {
            return false;
        }
        self.seen.push_back((now, levels));
        while self.seen.len() > MOST_SEEN {
            self.seen.pop_front();
        }
        self.enter.iter().any(|way| way.ends(&self.seen))
    }
}

impl Way {
    /// From rest: both lines off, at any rate.
    fn of(script: &[ScriptStep]) -> Way {
        let mut here = Levels { dtr: false, rts: false, baud: None };
        let mut way = Way { levels: vec![(here, Span::ZERO)], rates: Vec::new() };
        for step in script {
            match *step {
                ScriptStep::Dtr(on) => here.dtr = on,
                ScriptStep::Rts(on) => here.rts = on,
                ScriptStep::Rate(baud) => {
                    here.baud = Some(baud);
                    way.rates.push(baud);
                }
                ScriptStep::Wait(seconds) => {
                    if let Some((_, holds)) = way.levels.last_mut() {
                        *holds += span_from_secs(seconds);
                    }
                }
                ScriptStep::Break(_) | ScriptStep::Close | ScriptStep::Open(_) => {}
            }
            way.go_to(here);
        }
        way
    }

    fn go_to(&mut self, here: Levels) {
        let moves = self.levels.len() > 1;
        match self.levels.last_mut() {
            Some((last, _)) if *last == here => {}
            // Moved together with what came before.
            Some((last, holds)) if holds.is_zero() && moves => *last = here,
            _ => self.levels.push((here, Span::ZERO)),
        }
    }

    /// Whether what was seen ends with this way, and each level held for half of its time at the least.
    fn ends(&self, seen: &VecDeque<(Instant, Levels)>) -> bool {
        let mut steps: Vec<(Instant, Levels)> = Vec::new();
        let mut moves = false;
        for (at, levels) in seen {
            let baud = levels.baud.filter(|baud| self.rates.contains(baud));
            let levels = Levels { baud, ..*levels };
            match steps.last_mut() {
                // A change that means nothing to this way, such as that of the rate to one without rates.
                Some((_, last)) if *last == levels => {
                    moves = false;
                    continue;
                }
                Some((since, last)) if at.since(*since) < TOGETHER => *last = levels,
                _ => steps.push((*at, levels)),
            }
            moves = true;
        }
        let Some(from) = steps.len().checked_sub(self.levels.len()).filter(|_| moves) else { return false };
        let steps = &steps[from..];
        let same = |place: usize| {
            let (seen, (levels, holds)) = (&steps[place], &self.levels[place]);
            // Rest may be of any length, and the last level is where the way ends.
            let held = steps.get(place + 1).map(|next| next.0.since(seen.0)).filter(|_| place > 0);
            seen.1 == *levels && held.is_none_or(|held| held * 2 >= *holds)
        };
        (0..self.levels.len()).all(same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::Format;

    const WAIT: ScriptStep = ScriptStep::Wait(0.1);

    fn at(baud: f64) -> Settings {
        Settings::new(Baud::nearest(baud), Format::N8)
    }

    /// What a board makes of DTR and RTS, each moved so many milliseconds after the start.
    fn moved(board: &mut Board, moves: &[(u64, bool, bool, f64)]) -> Vec<bool> {
        let moved = moves.iter().map(|(ms, dtr, rts, baud)| {
            let lines = ControlLines { dtr: Some(*dtr), rts: Some(*rts) };
            board.stands(Instant::ZERO + Span::from_millis(*ms), at(*baud), lines)
        });
        moved.collect()
    }

    #[test]
    fn a_board_enters_its_loader_by_its_own_script_and_by_no_other() {
        // RTS resets, and DTR holds the boot pin while it rises again.
        let script = vec![
            ScriptStep::Dtr(true),
            ScriptStep::Rts(true),
            WAIT,
            ScriptStep::Rts(false),
            WAIT,
            ScriptStep::Dtr(false),
        ];
        let mut board = Board::wired(&[script]);
        let right = [
            (0, false, false, 9600.0),
            (50, true, true, 9600.0),
            (150, true, false, 9600.0),
            (250, false, false, 9600.0),
        ];
        assert_eq!(moved(&mut board, &right), [false, false, false, true]);
        let faster = [(300, false, false, 115_200.0)];
        assert_eq!(moved(&mut board, &faster), [false], "another rate is no step of it");
        let swapped = [(350, true, true, 9600.0), (450, false, true, 9600.0), (550, false, false, 9600.0)];
        assert_eq!(moved(&mut board, &swapped), [false, false, false]);
        let hasty = [(600, true, true, 9600.0), (605, true, false, 9600.0), (610, false, false, 9600.0)];
        assert_eq!(moved(&mut board, &hasty), [false, false, false], "a pulse that is too short");
    }

    #[test]
    fn a_touch_at_a_certain_rate_is_seen_and_other_rates_are_not() {
        let mut board = Board::wired(&[vec![ScriptStep::Rate(Baud::nearest(1200.0)), WAIT]]);
        let rates = [
            (0, false, false, 115_200.0),
            (10, false, false, 9600.0),
            (60, false, false, 1200.0),
            (160, false, false, 115_200.0),
        ];
        assert_eq!(moved(&mut board, &rates), [false, false, true, false]);
        let raised = [(200, true, false, 115_200.0), (300, true, false, 1200.0)];
        assert_eq!(moved(&mut board, &raised), [false, false], "DTR is not low");
    }
}
