//! A task that reads along: by a protocol where one is named or recognised, and as bare bytes until then.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::line::{Action, Instant, LineErrors, LineEvent, Settings, Span, Task};
use crate::machine::{Env, Item, Program, Sides};

use super::cause::Cause;
use super::engine::{Engine, Hearing};
use super::posterior::Diagnosis;
use super::recognise::{Recognised, Recogniser};

/// Events that are kept until a protocol is recognised.
const MOST_KEPT: usize = 4096;
/// A line of bare bytes is no longer than this.
const LONGEST_LINE: usize = 4096;
/// Silence that ends a line of bare bytes, in characters.
const GAP: f64 = 20.0;
/// A protocol that the user names is followed after so many events, even if it has not explained any yet.
const PATIENCE: usize = 64;

/// What was understood, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Followed {
    /// From here on this protocol is followed.
    Recognised(String),
    Item(Arc<Item>),
    /// Bytes that came one after the other, while no protocol is known.
    Bytes(Vec<LineEvent>),
    /// Something is wrong, is wrong in another way than before, or is right again: since when, and why.
    Why(Instant, Box<Diagnosis>),
}

/// Reads along until its time is over.
pub struct Follow {
    mode: Mode,
    /// The protocol was named: there is nothing to recognise, but it is to be seen which sides are heard.
    named: Option<Env>,
    settings: Option<Settings>,
    time: Option<Span>,
    until: Option<Instant>,
    now: Instant,
    ready: VecDeque<Followed>,
    line_errors: LineErrors,
    uncertainty: Span,
    /// The cause that was told last.
    told: Cause,
    /// When it is to be seen whether it still holds.
    look: Option<Instant>,
}

/// The diagnosis follows a byte within this time.
const LOOK: Span = Span::from_millis(50);

enum Mode {
    /// Before the settings are known.
    Waiting(Vec<Arc<Program>>),
    Listening {
        recogniser: Recogniser,
        kept: VecDeque<LineEvent>,
        line: Vec<LineEvent>,
    },
    Following(Box<Engine>),
}

impl Follow {
    /// Follows one protocol.
    pub fn protocol(program: Arc<Program>, env: Env, time: Option<Span>) -> Follow {
        Follow { named: Some(env), ..Follow::any(vec![program], time) }
    }

    /// Of what the port can report depends what its reports mean.
    pub fn heard_with(self, line_errors: LineErrors, uncertainty: Span) -> Follow {
        Follow { line_errors, uncertainty, ..self }
    }

    /// Shows bare bytes until one of these is recognised.
    pub fn any(programs: Vec<Arc<Program>>, time: Option<Span>) -> Follow {
        Follow {
            mode: Mode::Waiting(programs),
            named: None,
            settings: None,
            time,
            until: None,
            now: Instant::ZERO,
            ready: VecDeque::new(),
            line_errors: LineErrors::Never,
            uncertainty: Span::ZERO,
            told: Cause::Clean,
            look: None,
        }
    }

    /// What has become certain since the last call.
    pub fn new_pieces(&mut self) -> Vec<Followed> {
        self.ready.drain(..).collect()
    }

    /// The protocol that is followed.
    pub fn program(&self) -> Option<&Arc<Program>> {
        match &self.mode {
            Mode::Following(engine) => Some(engine.observer().program()),
            Mode::Waiting(_) | Mode::Listening { .. } => None,
        }
    }

    /// Nothing more will come: what is still open is told.
    pub fn finish(&mut self) {
        self.choose(0);
        match &mut self.mode {
            Mode::Waiting(_) => {}
            Mode::Listening { line, .. } => end_line(line, &mut self.ready),
            Mode::Following(engine) => engine.finish(),
        }
        self.collect();
        self.why();
    }

    /// Tells the leading cause when it is sure and another one than before.
    fn why(&mut self) {
        self.look = None;
        let Mode::Following(engine) = &self.mode else { return };
        let diagnosis = engine.diagnosis();
        let leading = diagnosis.leading().cause;
        if diagnosis.is_sure() && leading != self.told {
            self.told = leading;
            self.ready.push_back(Followed::Why(self.now, Box::new(diagnosis)));
        }
    }

    fn look(&mut self) {
        if self.look.is_some_and(|look| self.now >= look) {
            self.why();
        }
    }

    fn collect(&mut self) {
        if let Mode::Following(engine) = &mut self.mode {
            self.ready.extend(engine.items().map(Followed::Item));
        }
    }

    /// Follows what explains the bytes; one that was named, after `patience` events in any case.
    fn choose(&mut self, patience: usize) {
        let (Mode::Listening { recogniser, kept, .. }, Some(settings)) = (&self.mode, self.settings) else {
            return;
        };
        let mut best = recogniser.ranking().into_iter().next();
        if self.named.is_some() && kept.len() >= patience {
            best = best.or(recogniser.best());
        }
        if let Some(best) = best {
            self.follow(best, settings);
        }
    }

    /// What was kept is read again, by the rules of the protocol.
    fn follow(&mut self, best: Recognised, settings: Settings) {
        let env = self.named.clone().unwrap_or_default();
        let (line_errors, uncertainty) = (self.line_errors, self.uncertainty);
        let hearing = Hearing { settings, line_errors, uncertainty, sides: best.sides };
        let engine = Box::new(Engine::new(best.program, Vec::new(), env, hearing));
        let before = std::mem::replace(&mut self.mode, Mode::Following(engine));
        let Mode::Listening { kept, mut line, .. } = before else { return };
        if self.named.is_none() {
            end_line(&mut line, &mut self.ready);
        }
        if let Mode::Following(engine) = &mut self.mode {
            if self.named.is_none() {
                let name = engine.observer().program().table().name.to_string();
                self.ready.push_back(Followed::Recognised(name));
            }
            kept.iter().for_each(|event| engine.on_event(event));
            self.look = Some(self.now + LOOK);
        }
    }
}

impl Task for Follow {
    fn on_event(&mut self, event: &LineEvent) {
        self.now = self.now.max(event.at);
        let bare = self.named.is_none();
        match &mut self.mode {
            Mode::Waiting(_) => {}
            Mode::Following(engine) => {
                engine.on_event(event);
                self.look = self.look.or(Some(event.at + LOOK));
            }
            Mode::Listening { recogniser, kept, line } => {
                recogniser.on_event(event);
                if kept.len() == MOST_KEPT {
                    kept.pop_front();
                }
                kept.push_back(*event);
                if bare {
                    if line.last().is_some_and(|last| last.direction != event.direction) {
                        end_line(line, &mut self.ready);
                    }
                    line.push(*event);
                    if event.value() == Some(b'\n') || line.len() >= LONGEST_LINE {
                        end_line(line, &mut self.ready);
                    }
                }
            }
        }
        self.choose(PATIENCE);
        self.collect();
        self.look();
    }

    fn on_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.until = self.until.or(self.time.map(|time| now + time));
        match &mut self.mode {
            Mode::Waiting(_) => {}
            Mode::Following(engine) => engine.on_time(now),
            Mode::Listening { recogniser, line, .. } => {
                recogniser.on_time(now);
                let gap = self.settings.map(|settings| settings.bits(GAP * settings.format.bits()));
                if line.last().zip(gap).is_some_and(|(last, gap)| now - last.at > gap) {
                    end_line(line, &mut self.ready);
                }
            }
        }
        self.choose(PATIENCE);
        self.collect();
        self.look();
    }

    fn on_settings(&mut self, _: Instant, settings: Settings) {
        self.settings = Some(settings);
        match &mut self.mode {
            Mode::Waiting(programs) => {
                // Whoever listens does not know whether the host is on the same wire.
                let recogniser = Recogniser::new(programs, &[Sides::Device, Sides::Shared], settings);
                let recogniser = recogniser.stamped(self.uncertainty);
                self.mode = Mode::Listening { recogniser, kept: VecDeque::new(), line: Vec::new() };
            }
            Mode::Listening { recogniser, .. } => recogniser.on_settings(settings),
            Mode::Following(engine) => engine.on_settings(settings),
        }
    }

    fn on_refused(&mut self, _: Instant, _: Settings, _: &str) {}

    fn next_action(&mut self) -> Option<Action> {
        self.until.is_some_and(|until| self.now >= until).then_some(Action::Done)
    }

    fn deadline(&self) -> Option<Instant> {
        let observer = match &self.mode {
            Mode::Following(engine) => engine.observer().deadline(),
            Mode::Waiting(_) | Mode::Listening { .. } => None,
        };
        [observer, self.look, self.until].into_iter().flatten().min()
    }
}

fn end_line(line: &mut Vec<LineEvent>, ready: &mut VecDeque<Followed>) {
    if !line.is_empty() {
        ready.push_back(Followed::Bytes(std::mem::take(line)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Baud, Direction, Format};
    use crate::protocol::Registry;

    const SENTENCE: &[u8] = b"$GPRMC,092751.000,A,5321.6802,N,00630.3371,W,0.06,31.66,280511,,,A*45\r\n";

    /// Sentences without a pause, good ones first; then one byte of each is another.
    fn events() -> Vec<LineEvent> {
        let mut now = Instant::ZERO;
        let mut events = Vec::new();
        for sentence in 0..14 {
            for (place, byte) in SENTENCE.iter().enumerate() {
                now += Span::from_micros(1042);
                let byte = if sentence >= 6 && place == 20 + sentence { byte ^ 0x01 } else { *byte };
                events.push(LineEvent::byte(now, Direction::Rx, byte));
            }
        }
        events
    }

    fn follow() -> Follow {
        let program = Program::compile(Registry::shipped().get("nmea").expect("a shipped table"));
        let mut follow =
            Follow::protocol(Arc::new(program), Env::new(), None).heard_with(LineErrors::PerByte, Span::ZERO);
        follow.on_settings(Instant::ZERO, Settings::new(Baud::nearest(9600.0), Format::N8));
        follow
    }

    fn told(follow: &mut Follow) -> Vec<(Instant, Cause)> {
        let pieces = follow.new_pieces();
        let why = |piece: &Followed| match piece {
            Followed::Why(at, why) => Some((*at, why.leading().cause)),
            _ => None,
        };
        pieces.iter().filter_map(why).collect()
    }

    #[test]
    fn a_cause_is_told_within_fifty_milliseconds_of_the_byte_that_made_it_sure() {
        // Who looks after every byte knows it first.
        let mut eager = follow();
        let mut first = Vec::new();
        for event in events() {
            eager.on_event(&event);
            eager.why();
            first.extend(told(&mut eager));
        }
        let mut live = follow();
        let mut later = Vec::new();
        for event in events() {
            while let Some(due) = live.deadline().filter(|due| *due < event.at) {
                live.on_time(due);
                later.extend(told(&mut live));
            }
            live.on_event(&event);
            later.extend(told(&mut live));
        }
        let (sure, cause) = *first.last().expect("the eager one tells a cause");
        assert_ne!(cause, Cause::Clean);
        let (at, _) = later.iter().find(|(_, other)| *other == cause).expect("the live one tells it too");
        assert!(at.since(sure) <= LOOK, "{:?} after it was sure", at.since(sure));
    }
}
