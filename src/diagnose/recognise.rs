//! Which protocol is this? Every table listens, as to a shared line and as to the device alone, and the best explanation wins.

use std::sync::Arc;

use crate::line::{Instant, LineEvent, Seen, Settings, Span};
use crate::machine::{Env, Observer, Program, Score, Sides};

/// Natural logarithm of how much better than chance an explanation must be. There are dozens of tables, each of which may be lucky
/// once: e^12 leaves one false recognition in some thousand recordings of noise.
const CONVINCING: f64 = 12.0;

/// Natural logarithm by which a table must be behind the best one to stop listening; it cannot win as long as that one goes on.
const FAR: f64 = 40.0;
/// What the best explanation may lose before everybody listens again: more than one damaged frame costs it.
const LOST: f64 = 14.0;
/// Events without anything that it explains, before everybody listens again.
const UNEXPLAINED: usize = 1024;
/// Events in which a table must not have gained anything to stop listening: a frame ends before, and who joined in its middle has
/// heard a whole one.
const STALE: usize = 1024;
/// Events from one look at the weights to the next.
const LOOK: usize = 64;

/// All tables listening, as long as they may win.
pub struct Recogniser {
    listeners: Vec<Listener>,
    /// What the best explanation was worth at most, while others sleep.
    peak: f64,
    /// Bytes that it explained at the last look.
    explained: usize,
    /// Events since it last explained anything: who wakes hears them after all.
    since: Vec<LineEvent>,
    /// Events before the next look.
    patience: usize,
}

struct Listener {
    sides: Sides,
    observer: Observer,
    sleeps: bool,
    /// Its weight at most, and events since it had risen to that.
    most: f64,
    stale: usize,
}

/// A protocol that explains what was heard.
#[derive(Clone, Debug)]
pub struct Recognised {
    pub program: Arc<Program>,
    pub sides: Sides,
    pub score: Score,
}

impl Listener {
    fn weight(&self) -> f64 {
        self.observer.score().log_weight
    }
}

impl Recogniser {
    /// `sides` are the ways in which each table listens.
    pub fn new(programs: &[Arc<Program>], sides: &[Sides], settings: Settings) -> Recogniser {
        let env = Env::new();
        let listener = |program: &Arc<Program>, sides: Sides| Listener {
            sides,
            observer: Observer::scoring(program.clone(), sides, settings, &env),
            sleeps: false,
            most: 0.0,
            stale: 0,
        };
        let ways = programs.iter().flat_map(|program| sides.iter().map(move |side| (program, *side)));
        Recogniser {
            listeners: ways.map(|(program, sides)| listener(program, sides)).collect(),
            peak: f64::NEG_INFINITY,
            explained: 0,
            since: Vec::new(),
            patience: LOOK,
        }
    }

    /// Bytes can be stamped so much later than they came.
    pub fn stamped(mut self, late: Span) -> Recogniser {
        let stamped = |listener: Listener| Listener { observer: listener.observer.stamped(late), ..listener };
        self.listeners = self.listeners.into_iter().map(stamped).collect();
        self
    }

    pub fn on_event(&mut self, event: &LineEvent) {
        let mut all_listen = true;
        for listener in &mut self.listeners {
            if listener.sleeps {
                all_listen = false;
            } else {
                listener.observer.on_event(event);
            }
        }
        if !all_listen {
            self.since.push(*event);
        }
        self.patience -= 1;
        if self.patience == 0 {
            self.look();
            self.patience = LOOK;
        }
    }

    /// Who cannot win sleeps, until the best explanation does not explain what comes any more.
    fn look(&mut self) {
        let Some(best) = self.listeners.iter().max_by(|a, b| a.weight().total_cmp(&b.weight())) else {
            return;
        };
        let (best, explained) = (best.weight(), best.observer.score().explained);
        self.peak = self.peak.max(best);
        for listener in self.listeners.iter_mut().filter(|listener| !listener.sleeps) {
            listener.stale += LOOK;
            if listener.weight() > listener.most {
                (listener.most, listener.stale) = (listener.weight(), 0);
            }
        }
        if explained != self.explained {
            self.explained = explained;
            self.since.clear();
        }
        if best < self.peak - LOST || self.since.len() >= UNEXPLAINED {
            self.wake();
            self.peak = best;
        } else if best > CONVINCING {
            let hopeless =
                |listener: &&mut Listener| listener.stale >= STALE && listener.weight() < best - FAR;
            self.listeners.iter_mut().filter(hopeless).for_each(|listener| listener.sleeps = true);
        }
    }

    fn wake(&mut self) {
        let since = std::mem::take(&mut self.since);
        for listener in self.listeners.iter_mut().filter(|listener| listener.sleeps) {
            (listener.sleeps, listener.stale) = (false, 0);
            let Some(first) = since.first() else { continue };
            // What came while it slept is no silence.
            let gap = LineEvent { seen: Seen::Marker, fault: None, ..*first };
            listener.observer.on_event(&gap);
            since.iter().for_each(|event| listener.observer.on_event(event));
        }
    }

    pub fn on_time(&mut self, now: Instant) {
        let awake = self.listeners.iter_mut().filter(|listener| !listener.sleeps);
        awake.for_each(|listener| listener.observer.on_time(now));
    }

    pub fn on_settings(&mut self, settings: Settings) {
        self.wake();
        self.listeners.iter_mut().for_each(|listener| listener.observer.on_settings(settings));
    }

    /// Nothing more will come.
    pub fn finish(&mut self) {
        self.listeners.iter_mut().for_each(|listener| listener.observer.finish());
    }

    /// The best explanation there is, convincing or not.
    pub fn best(&self) -> Option<Recognised> {
        let best = self.listeners.iter().max_by(|a, b| a.weight().total_cmp(&b.weight()))?;
        let Listener { sides, observer, .. } = best;
        Some(Recognised { program: observer.program().clone(), sides: *sides, score: observer.score() })
    }

    /// Protocols that explain what was heard convincingly, best first, each once.
    pub fn ranking(&self) -> Vec<Recognised> {
        let mut ranking: Vec<Recognised> = Vec::new();
        for Listener { sides, observer, .. } in &self.listeners {
            let score = observer.score();
            if score.valid == 0 || score.log_weight < CONVINCING {
                continue;
            }
            let program = observer.program();
            let known = ranking.iter_mut().find(|known| Arc::ptr_eq(&known.program, program));
            match known {
                Some(known) if known.score.log_weight >= score.log_weight => {}
                Some(known) => (known.sides, known.score) = (*sides, score),
                None => ranking.push(Recognised { program: program.clone(), sides: *sides, score }),
            }
        }
        ranking.sort_by(|a, b| b.score.log_weight.total_cmp(&a.score.log_weight));
        ranking
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Baud, Direction, Format};
    use crate::protocol::Registry;

    const SENTENCE: &[u8] = b"$GPRMC,092751.000,A,5321.6802,N,00630.3371,W,0.06,31.66,280511,,,A*45\r\n";

    fn recogniser(names: &[&str]) -> Recogniser {
        let registry = Registry::shipped();
        let program = |name: &&str| Arc::new(Program::compile(registry.get(name).expect("a shipped table")));
        let settings = Settings::new(Baud::nearest(9600.0), Format::N8);
        Recogniser::new(&names.iter().map(program).collect::<Vec<_>>(), &[Sides::Device], settings)
    }

    /// A message after a silence.
    fn say(recogniser: &mut Recogniser, now: &mut Instant, message: &[u8]) {
        *now += Span::from_millis(100);
        for byte in message {
            *now += Span::from_micros(1042);
            recogniser.on_event(&LineEvent::byte(*now, Direction::Rx, *byte));
        }
    }

    #[test]
    fn who_was_joined_in_the_middle_of_its_first_frame_is_heard_out() {
        let mut recogniser = recogniser(&["nmea", "console"]);
        let mut now = Instant::ZERO;
        // The rest of a sentence is a line of text, and none of NMEA.
        say(&mut recogniser, &mut now, &SENTENCE[4..]);
        (0..4).for_each(|round| say(&mut recogniser, &mut now, &sentence(round)));
        assert!(recogniser.listeners.iter().all(|listener| !listener.sleeps));
        let best = recogniser.best().map(|best| best.program.table().name.to_string());
        assert_eq!(best.as_deref(), Some("nmea"));
    }

    #[test]
    fn sentences_alone_are_nmea_and_no_receiver_that_could_speak_otherwise_too() {
        let mut recogniser = recogniser(&["ubx", "nmea"]);
        let mut now = Instant::ZERO;
        say(&mut recogniser, &mut now, &SENTENCE[4..]);
        for body in [
            "GPVTG,084.4,T,077.8,M,022.4,N,041.5,K",
            "GPGGA,123519.00,4807.0380,N,01131.0000,E,1,08,0.9,545.4,M,46.9,M,,",
            "GPGSA,A,3,04,05,09,12,24,17,19,22,,,,,2.5,1.3,2.1",
            "GPGLL,4807.0380,N,01131.0000,E,123519.00,A",
        ] {
            let sum = body.bytes().fold(0, |sum, byte| sum ^ byte);
            say(&mut recogniser, &mut now, format!("${body}*{sum:02X}\r\n").as_bytes());
        }
        recogniser.finish();
        let ranking = recogniser.ranking();
        assert_eq!(&*ranking[0].program.table().name, "nmea");
        assert!(ranking[0].score.log_weight > ranking[1].score.log_weight + 3.0);
    }

    fn valid(recogniser: &Recogniser, name: &str) -> Option<usize> {
        let ranking = recogniser.ranking();
        let found = ranking.iter().find(|found| &*found.program.table().name == name)?;
        Some(found.score.valid)
    }

    #[test]
    fn a_table_that_cannot_win_sleeps_until_the_line_speaks_otherwise() {
        let mut recogniser = recogniser(&["nmea", "modbus-rtu"]);
        let mut now = Instant::ZERO;
        (0..40).for_each(|round| say(&mut recogniser, &mut now, &sentence(round)));
        let asleep = recogniser.listeners.iter().filter(|listener| listener.sleeps).count();
        assert_eq!(asleep, 1);
        (0..200).for_each(|number| say(&mut recogniser, &mut now, &registers(number)));
        recogniser.finish();
        let heard = valid(&recogniser, "modbus-rtu").unwrap_or_default();
        assert!(heard >= 195, "{heard} of 200 frames were heard");
    }

    /// The sentence at another time of the day.
    fn sentence(round: u8) -> Vec<u8> {
        let mut varied = SENTENCE.to_vec();
        varied[7..9].copy_from_slice(format!("{:02}", round % 24).as_bytes());
        let sum = varied[1..varied.len() - 5].iter().fold(0, |sum, byte| sum ^ byte);
        let at = varied.len() - 4;
        varied[at..at + 2].copy_from_slice(format!("{sum:02X}").as_bytes());
        varied
    }

    /// A Modbus device answers with three registers.
    fn registers(number: u8) -> Vec<u8> {
        let mut frame = vec![0x11, 0x03, 0x06, 0xAE, number, 0x56, 0x52, 0x43, 0x40];
        let sum = crc::Crc::<u16>::new(&crc::CRC_16_MODBUS).checksum(&frame);
        frame.extend(sum.to_le_bytes());
        frame
    }
}
