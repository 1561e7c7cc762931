//! One flash session in virtual time: `flash` writes an image into a table's own device, over a line and into a device that meet mishaps.

use std::sync::Arc;

use hsdiag::flash::{Action, Ended, Plan, Session, SessionOptions, Wish};
use hsdiag::image::{FileKind, Image, ReadImage, Segment};
use hsdiag::line::{Instant, Settings, Span};
use hsdiag::machine::{Env, Program};
use hsdiag::protocol::{FlashRun, Table};
use hsdiag::simulate::{DeviceTask, Link, Mishap, Mishaps, settings};

/// A table whose host flashes.
pub struct Flasher {
    program: Arc<Program>,
    base: u64,
    settings: Settings,
    /// The table verifies or reads back; if not, the best that can be said is "sent".
    pub verifies: bool,
    /// How long a session takes that meets no mishap, for an image of [`MOST`] bytes.
    clean: Span,
}

/// What a session may meet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// One character in so many meets a mishap; 0 for none.
    pub one_in: u32,
    /// What befalls the device, once, at some instant.
    pub device: Option<Mishap>,
}

/// What the host says of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    Verified,
    /// Sent; nobody compared.
    Sent,
    Failed,
}

/// What came of a session.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub claim: Claim,
    /// The device holds the image.
    pub equal: bool,
    pub weather: Weather,
    /// Mishaps of the line, by their place in [`Mishap::OF_LINE`].
    pub mishaps: [usize; Mishap::OF_LINE.len()],
    /// How often the device was reset and everything begun anew.
    pub attempts: u32,
    /// How the last attempt ended; `None`: not at all.
    pub ended: Option<Ended>,
}

/// The longest image.
pub const MOST: usize = 600;

/// How often a session is begun anew.
const ATTEMPTS: u32 = 5;

/// Longer than any attempt takes, in virtual time.
const LIMIT: Span = Span::from_secs(3_600);

impl Flasher {
    /// `None` for a table that does not flash, or whose own session fails on a clean line.
    pub fn of(table: &Arc<Table>) -> Option<Flasher> {
        let flash = table.flash.as_ref()?;
        let mut flasher = Flasher {
            base: flash.base,
            settings: settings(table),
            verifies: flash.run(FlashRun::Verify).or(flash.run(FlashRun::Read)).is_some(),
            clean: Span::ZERO,
            program: Arc::new(Program::compile(Arc::clone(table))),
        };
        let calm = Weather { one_in: 0, device: None };
        let (outcome, took) = flasher.play(MOST, 1, calm);
        flasher.clean = took;
        (outcome.claim != Claim::Failed && outcome.equal).then_some(flasher)
    }

    pub fn name(&self) -> &str {
        &self.program.table().name
    }

    /// One session. The same seed leads to the same session.
    pub fn session(&self, seed: u64, weather: Weather) -> Outcome {
        let size = fastrand::Rng::with_seed(seed).usize(1..=MOST);
        self.play(size, seed, weather).0
    }

    fn play(&self, size: usize, seed: u64, weather: Weather) -> (Outcome, Span) {
        let mut chance = fastrand::Rng::with_seed(seed ^ 0x5EED);
        let image: Vec<u8> = (0..size).map(|_| chance.u8(..)).collect();
        let mut mishaps = Mishaps::new(chance.u64(..), weather.one_in, self.settings.format);
        let device =
            DeviceTask::new(&self.program, &self.device_env(weather, &mut chance), None, seed, false);
        let mut link = Link::new(self.host(&image), self.settings, device, self.settings);
        link = link.spoilt_by(mishaps.spoil());
        let strikes = Instant::ZERO + self.clean.mul_f64(chance.f64());
        if weather.device.is_some() {
            link.play(strikes);
        }
        if weather.device.is_some() && !link.is_over() {
            self.strike(weather, &mut link, &mut chance);
        }
        let mut attempts = 1;
        loop {
            let until = link.now() + LIMIT;
            link.play(until);
            let ended = link.host.outcome().ended;
            if matches!(ended, Some(Ended::Done | Ended::Unverified)) || attempts == ATTEMPTS {
                break;
            }
            attempts += 1;
            let now = link.now();
            link.device.reset(now);
            link.begins(self.host(&image), self.settings);
        }
        let ended = link.host.outcome().ended;
        let claim = match ended {
            Some(Ended::Done) => Claim::Verified,
            Some(Ended::Unverified) => Claim::Sent,
            _ => Claim::Failed,
        };
        // As the plan has it: some tables put a header around the image, or a checksum into it.
        let wanted = link.host.plan().image.clone();
        let wanted = wanted.bytes_at(self.base, wanted.size() as usize).unwrap_or_default();
        let held = link.device.device().memory().read(self.base, wanted.len());
        let equal = wanted.len() >= size && held.is_ok_and(|held| held[..] == *wanted);
        let took = link.now().since(Instant::ZERO);
        drop(link);
        (Outcome { claim, equal, weather, mishaps: mishaps.counts, attempts, ended }, took)
    }

    /// A session as the command plays it; what speaks against a random image is left aside.
    fn host(&self, image: &[u8]) -> Session {
        let part = Segment { at: 0, bytes: image.to_vec().into() };
        let file = ReadImage::of(FileKind::Binary, Image::from_parts(vec![part]).expect("one part"));
        let plan = Plan::new(self.program.table(), &file, &Wish::default()).expect("the image fits");
        let options = SessionOptions { action: Action::Flash, only_changed: false, go: true, force: true };
        let session = Session::new(plan, Some(file), &self.program, options, self.settings);
        let mut session = session.expect("the table can flash");
        if let Some(script) = self.program.table().reset.enter.first() {
            session.reset_by(script);
        }
        session
    }

    /// The device's own world: another chip, where that is what it meets.
    fn device_env(&self, weather: Weather, chance: &mut fastrand::Rng) -> Env {
        let chips = &self.program.table().chips;
        match chips.get(chance.usize(..chips.len().max(1))) {
            Some(chip) if weather.device == Some(Mishap::WrongChip) => {
                Env::new().with(&chip.by, chip.value.clone())
            }
            _ => Env::new(),
        }
    }

    fn strike(&self, weather: Weather, link: &mut Link<'_, Session, DeviceTask>, chance: &mut fastrand::Rng) {
        let now = link.now();
        match weather.device {
            Some(Mishap::Reset) => link.device.reset(now),
            Some(Mishap::RefusedErase) => link.device.refuse_erasing(),
            Some(Mishap::PowerLoss) => {
                let off = Span::from_millis(chance.u64(1..3_000));
                link.device.lose_power(now, now + off, chance.usize(..256));
            }
            _ => {}
        }
    }
}
