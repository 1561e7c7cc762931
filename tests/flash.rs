//! Flashing: every table's host against its own device in virtual time, with and without faults, and the command as a user meets it.

#[allow(dead_code)] // shared with other tests; this one needs a part of it
#[path = "support/program.rs"]
mod program;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use hsdiag::flash::{Action, Ended, Outcome, Plan, Session, SessionOptions, State, Wish};
use hsdiag::image::{FileKind, Image, ReadImage, Segment};
use hsdiag::line::{Direction, Instant, Seen, Span};
use hsdiag::machine::{Device, Env, Program};
use hsdiag::protocol::{FlashRun, Quiet, Registry, Table};
use hsdiag::simulate::{DeviceTask, Fault, Link, Passing, Spoil, settings};
use program::{Folder, Ran, hsdiag};
use sha2::Digest;

// ---- every table against itself --------------------------------------------------------------------------------------

fn tables() -> Vec<Arc<Table>> {
    let all = Registry::shipped().all().0;
    all.into_iter().filter(|table| table.flash.is_some()).collect()
}

fn image(parts: Vec<(u64, Vec<u8>)>) -> ReadImage {
    let parts = parts.into_iter().map(|(at, bytes)| Segment { at, bytes: Bytes::from(bytes) }).collect();
    ReadImage::of(FileKind::IntelHex, Image::from_parts(parts).unwrap())
}

fn options(action: Action) -> SessionOptions {
    SessionOptions { action, only_changed: false, go: false, force: true }
}

fn session(table: &Arc<Table>, program: &Program, file: &ReadImage, options: SessionOptions) -> Session {
    let plan = Plan::new(table, file, &Wish::default()).unwrap();
    Session::new(plan, Some(file.clone()), program, options, settings(table)).unwrap()
}

/// A session against a fresh device.
fn play<'a>(
    table: &Arc<Table>,
    file: &ReadImage,
    fault: Option<Fault>,
    spoil: Option<Spoil<'a>>,
) -> (Outcome, Bench<'a>) {
    let mut bench = Bench::new(table, file, options(Action::Flash), fault, spoil);
    bench.link.play(Instant::from_secs(3_600.0));
    (bench.link.host.outcome(), bench)
}

/// A session at a device, which another may follow.
struct Bench<'a> {
    table: Arc<Table>,
    program: Arc<Program>,
    link: Link<'a, Session, DeviceTask>,
}

impl<'a> Bench<'a> {
    fn new(
        table: &Arc<Table>,
        file: &ReadImage,
        options: SessionOptions,
        fault: Option<Fault>,
        spoil: Option<Spoil<'a>>,
    ) -> Bench<'a> {
        let program = Arc::new(Program::compile(Arc::clone(table)));
        let device = DeviceTask::new(&program, &Default::default(), fault, 7, false);
        let host = session(table, &program, file, options);
        let mut link = Link::new(host, settings(table), device, settings(table));
        if let Some(spoil) = spoil {
            link = link.spoilt_by(spoil);
        }
        Bench { table: Arc::clone(table), program, link }
    }

    /// Another session at the device as it was left.
    fn again(&mut self, file: &ReadImage, options: SessionOptions) -> Outcome {
        let host = session(&self.table, &self.program, file, options);
        self.link.begins(host, settings(&self.table));
        self.link.play(self.link.now() + Span::from_secs(3_600));
        self.link.host.outcome()
    }

    fn device(&self) -> &Device {
        self.link.device.device()
    }
}

/// Whether the device's memory holds the image.
fn holds(bench: &Bench<'_>, file: &ReadImage) -> bool {
    let flash = bench.table.flash.as_ref().unwrap();
    // Some tables put a header around it, or a checksum into it; the others write what is in the file, and nothing else.
    let image = match flash.patches.is_empty() {
        true => file.image.clone(),
        false => Plan::new(&bench.table, file, &Wish::default()).unwrap().image,
    };
    // A protocol that tells no addresses puts everything where its device's memory begins.
    let begins = image.start().filter(|_| !flash.has_addresses()).unwrap_or(flash.base);
    let memory = bench.device().memory();
    image.segments().iter().all(|part| {
        let at = part.at - begins + flash.base;
        memory.read(at, part.bytes.len()).is_ok_and(|found| found[..] == part.bytes[..])
    })
}

/// What a table's host comes to when nothing goes wrong.
fn well(table: &Table) -> Ended {
    let flash = table.flash.as_ref().unwrap();
    let checks = flash.run(FlashRun::Verify).is_some() || flash.run(FlashRun::Read).is_some();
    if checks { Ended::Done } else { Ended::Unverified }
}

fn region(table: &Arc<Table>) -> (u64, u64) {
    let plan = Plan::without_image(table, &Wish::default()).unwrap();
    let (base, size) = plan.whole().unwrap();
    let begin = base.max(table.flash.as_ref().unwrap().base);
    (begin, size - (begin - base))
}

#[test]
fn images_of_every_size_arrive_over_every_table() {
    let mut chance = fastrand::Rng::with_seed(3);
    let mut bytes = |n: u64| -> Vec<u8> { (0..n).map(|_| chance.u8(..)).collect() };
    for table in tables() {
        let (at, room) = region(&table);
        let plan = Plan::without_image(&table, &Wish::default()).unwrap();
        let block = plan.pieces(FlashRun::Write).map_or(1024, |pieces| pieces.size);
        let tail = room.min(8 * 1024);
        let images = [
            ("1 byte", vec![(at, bytes(1))]),
            ("a block less one", vec![(at, bytes(block - 1))]),
            ("a block", vec![(at, bytes(block))]),
            ("a block and one", vec![(at, bytes(block + 1))]),
            ("random", vec![(at, bytes(5_000))]),
            ("all erased", vec![(at, vec![0xFF; 300])]),
            ("to the end of the memory", vec![(at + room - tail, bytes(tail))]),
            ("sparse", vec![(at, bytes(100)), (at + 0x1000, bytes(300)), (at + 0x1800, bytes(1))]),
        ];
        for (what, parts) in images {
            let name = format!("{}, {what}", table.name);
            let file = image(parts);
            let (outcome, bench) = play(&table, &file, None, None);
            assert_eq!(outcome.ended, Some(well(&table)), "{name}: {:#?}", outcome.items.last());
            assert!(holds(&bench, &file), "{name}");
            assert_eq!((outcome.retries, outcome.repairs), (0, 0), "{name}");
            let state = if well(&table) == Ended::Done { State::Verified } else { State::Written };
            assert!(outcome.extents.all(state), "{name}: {:?}", outcome.extents);
        }
    }
}

/// The same protocol for a device that has no more than so much memory to flash, so that all of it can be written in a test.
fn small(table: &Arc<Table>, most: u64) -> Arc<Table> {
    let mut small = Table::clone(table);
    let base = table.flash.as_ref().unwrap().base;
    let chips = small.chips.iter_mut().flat_map(|chip| &mut chip.memory);
    for region in small.device.memory.iter_mut().chain(chips).filter(|region| !region.ram) {
        region.size = region.size.min(most + base.saturating_sub(region.base));
    }
    Arc::new(small)
}

#[test]
fn a_full_memory_is_written_and_read_back() {
    let mut chance = fastrand::Rng::with_seed(4);
    for table in tables() {
        let table = small(&table, 0x1_0000);
        let name = table.name.to_string();
        let (at, room) = region(&table);
        let bytes: Vec<u8> = (0..room).map(|_| chance.u8(..)).collect();
        let whole = Plan::new(&table, &image(vec![(at, bytes.clone())]), &Wish::default()).unwrap().image;
        // Where the table puts a header around the image, there is less room for it.
        let room = room - (whole.end().unwrap() - at - room);
        let file = image(vec![(at, bytes[..room as usize].to_vec())]);
        let (outcome, bench) = play(&table, &file, None, None);
        assert_eq!(outcome.ended, Some(well(&table)), "{name}");
        assert!(holds(&bench, &file), "{name}");
    }
}

#[test]
fn each_sector_that_an_image_touches_is_erased_by_a_packet_of_its_own() {
    let table = Registry::shipped().get("ti-bsl").unwrap();
    let file = image(vec![(0x0F00, vec![0x11; 0x1200])]);
    let (outcome, mut bench) = play(&table, &file, None, None);
    assert_eq!(outcome.ended, Some(Ended::Done));
    let asked = bench.link.passed().into_iter().filter(|event| event.direction == Direction::Tx);
    let sent: Vec<u8> = asked
        .filter_map(|event| match event.seen {
            Seen::Byte(byte) => Some(byte),
            _ => None,
        })
        .collect();
    let erased: Vec<&[u8]> =
        sent.windows(7).filter(|bytes| bytes[0] == 7 && bytes[2] == 0x26 && bytes[3] == 0).collect();
    let packets: [&[u8]; 3] = [
        &[0x07, 0x26, 0x26, 0x00, 0x00, 0x00, 0x00],
        &[0x07, 0x36, 0x26, 0x00, 0x00, 0x10, 0x00],
        &[0x07, 0x46, 0x26, 0x00, 0x00, 0x20, 0x00],
    ];
    assert_eq!(erased, packets);
}

/// A session at a device that is this chip of its table.
fn play_at_chip(table: &Arc<Table>, chip: &str, file: &ReadImage) -> (Outcome, Vec<u8>) {
    let program = Arc::new(Program::compile(Arc::clone(table)));
    let chip = table.chips.iter().find(|known| known.title == chip).unwrap();
    let env = Env::new().with(&chip.by, chip.value.clone());
    let device = DeviceTask::new(&program, &env, None, 7, false);
    let host = session(table, &program, file, options(Action::Flash));
    let mut link = Link::new(host, settings(table), device, settings(table));
    link.play(Instant::from_secs(3_600.0));
    let part = &file.image.segments()[0];
    let held = link.device.device().memory().read(part.at, part.bytes.len()).unwrap();
    (link.host.outcome(), held.to_vec())
}

#[test]
fn the_chip_that_a_loader_tells_decides_on_memory_and_sectors() {
    for (name, chip, at) in [
        ("ti-bsl", "CC26x0", 0x1F00),
        ("ti-bsl", "CC13x2, CC26x2", 0x56F00),
        ("ti-bsl", "CC13x2x7, CC26x2x7", 0xA1F00),
        ("stk500v1", "ATmega2560", 0x1FF00),
    ] {
        let table = Registry::shipped().get(name).unwrap();
        let file = image(vec![(at, vec![0x11; 0x200])]);
        let (outcome, held) = play_at_chip(&table, chip, &file);
        assert_eq!(outcome.ended, Some(Ended::Done), "{chip}: {:#?}", outcome.items.last());
        assert_eq!(outcome.chip.map(|is| &*table.chips[is].title), Some(chip));
        assert_eq!(held, file.image.segments()[0].bytes, "{chip}");
        assert_eq!(outcome.retries, 0);
    }
}

#[test]
fn what_a_device_wants_in_an_image_is_put_in() {
    let table = Registry::shipped().get("lpc-isp").unwrap();
    let words: [u32; 8] = [0x1000_1000, 0xC1, 0xCD, 0xCF, 0xD1, 0xD3, 0xD5, 0];
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.resize(400, 0x5A);
    let plan = |table: &Arc<Table>, bytes: &[u8]| {
        Plan::new(table, &image(vec![(0, bytes.to_vec())]), &Wish::default()).unwrap()
    };
    let patched = plan(&table, &bytes);
    assert_eq!(patched.image.bytes_at(0x1C, 4), Some(&0xEFFF_EB2A_u32.to_le_bytes()[..]));
    assert_eq!(patched.patched.len(), 1);
    let right = patched.image.bytes_at(0, 400).unwrap().to_vec();
    assert_eq!(plan(&table, &right).patched.len(), 0, "what is right already is left alone");
    let (outcome, bench) = play(&table, &image(vec![(0, bytes)]), None, None);
    assert_eq!(outcome.ended, Some(Ended::Done));
    assert_eq!(bench.device().memory().read(0, 400).unwrap()[..], right[..]);

    let table = Registry::shipped().get("k210").unwrap();
    let wrapped = plan(&table, b"program").image;
    let bytes = wrapped.bytes_at(0, wrapped.size() as usize).unwrap();
    assert_eq!((bytes.len(), &bytes[..12]), (5 + 7 + 32, &b"\x00\x07\x00\x00\x00program"[..]));
}

#[test]
fn what_an_esp_is_told_of_its_flash_stands_in_the_header_of_its_image_and_in_its_digest() {
    let table = Registry::shipped().get("esp-rom").unwrap();
    // A header with mode 0, 4 MB at 40 MHz, and a digest of everything before it.
    let mut bytes = vec![0xE9, 1, 0, 0x20, 0, 0, 8, 0x40];
    bytes.resize(400, 0x11);
    bytes[23] = 1;
    bytes.extend([0; 32]);
    let patched = |at: u64, env: Env| {
        let wish = Wish { env, ..Wish::default() };
        Plan::new(&table, &image(vec![(at, bytes.clone())]), &wish).unwrap()
    };
    let told = Env::new().with("flash_mode", 2).with("flash_size", 4).with("flash_freq", 15);
    let plan = patched(0x1000, told.clone());
    let wanted = plan.image.bytes_at(0x1000, 432).unwrap();
    assert_eq!(wanted[..4], [0xE9, 1, 2, 0x4F], "mode 2, size 4, frequency 15");
    let digest = sha2::Sha256::digest(&wanted[..400]);
    assert_eq!(wanted[400..], digest[..], "the digest is that of the changed image");
    assert_eq!(plan.patched.len(), 4, "{:?}", plan.patched);
    let untouched = patched(0x1000, Env::new());
    assert_eq!(untouched.image.bytes_at(0x1000, 432), Some(&bytes[..]));
    assert!(untouched.patched.is_empty());
    let mode = patched(0x1000, Env::new().with("flash_mode", 3)).image;
    assert_eq!(mode.bytes_at(0x1000, 4), Some(&[0xE9, 1, 3, 0x20][..]), "what is not told stays");
    // An application has a header as well, and the ROM does not read it.
    let application = patched(0x10000, told).image;
    assert_eq!(application.bytes_at(0x10000, 4), Some(&[0xE9, 1, 0, 0x20][..]));
}

#[test]
fn a_whole_esp_is_erased_and_writing_to_it_erases_what_it_needs_by_itself() {
    let table = Registry::shipped().get("esp-rom").unwrap();
    let full = image(vec![(0x10000, vec![0x5A; 600]), (0x20000, vec![0xA5; 600])]);
    let (outcome, mut bench) = play(&table, &full, None, None);
    assert_eq!(outcome.ended, Some(Ended::Done));
    // It went to a faster rate; a reset brings it back.
    bench.link.device.reset(bench.link.now());
    let second = image(vec![(0x10000, vec![0x77; 300])]);
    let written = bench.again(&second, options(Action::Flash));
    assert_eq!(written.ended, Some(Ended::Done), "{:#?}", written.items.last());
    let held = |bench: &Bench<'_>, at| bench.device().memory().read(at, 4).unwrap().to_vec();
    assert_eq!((held(&bench, 0x10000), held(&bench, 0x20000)), (vec![0x77; 4], vec![0xA5; 4]));
    bench.link.device.reset(bench.link.now());
    let erased = bench.again(&image(Vec::new()), options(Action::Erase));
    assert_eq!(erased.ended, Some(Ended::Done), "{:#?}", erased.items.last());
    assert_eq!((held(&bench, 0x10000), held(&bench, 0x20000)), (vec![0xFF; 4], vec![0xFF; 4]));
}

#[test]
fn an_empty_image_erases_nothing() {
    for table in tables() {
        let (at, _) = region(&table);
        let full = image(vec![(at, vec![0x5A; 600])]);
        let (_, mut bench) = play(&table, &full, None, None);
        let outcome = bench.again(&image(Vec::new()), options(Action::Flash));
        assert!(holds(&bench, &full), "{}: {:?}", table.name, outcome.ended);
    }
}

/// Flips and drops characters, one in so many.
fn faults<'a>(seed: u64, one_in: u32) -> Spoil<'a> {
    let mut chance = fastrand::Rng::with_seed(seed);
    Box::new(move |_: Direction, _: usize, byte: u8| match chance.u32(..one_in) {
        0 if chance.u8(..3) == 0 => Passing::Lost,
        0 => Passing::As(byte ^ 1 << chance.u8(..8)),
        _ => Passing::As(byte),
    })
}

#[test]
fn what_is_called_verified_is_in_the_memory_whatever_the_line_does() {
    let mut counted: BTreeMap<String, [u32; 2]> = BTreeMap::new();
    for table in tables() {
        let (at, _) = region(&table);
        for seed in 0..12 {
            let mut chance = fastrand::Rng::with_seed(seed);
            let file = image(vec![(at, (0..1_500).map(|_| chance.u8(..)).collect())]);
            let (outcome, bench) = play(&table, &file, None, Some(faults(seed, 1_000)));
            if outcome.ended == Some(Ended::Done) {
                assert!(holds(&bench, &file), "{}, seed {seed}: verified, and it differs", table.name);
            }
            // A loader that leaves for its application at a damaged byte is brought back by a reset alone; a transfer in one piece is
            // begun anew only by a receiver that gives it up.
            let addressed = table.flash.as_ref().is_some_and(|flash| flash.has_addresses());
            if addressed && table.device.damaged == Quiet::Stay && table.device.silence.is_none() {
                let counts = counted.entry(table.name.to_string()).or_default();
                counts[usize::from(outcome.ended != Some(well(&table)))] += 1;
            }
        }
    }
    let all: u32 = counted.values().map(|[well, _]| well).sum();
    let lost: u32 = counted.values().map(|[_, lost]| lost).sum();
    assert!(lost * 20 <= all + lost, "more than 5 % of sessions fail at a fault in 1,000 bytes: {counted:?}");
}

#[test]
fn a_device_that_is_silent_or_refuses_is_left_as_it_was() {
    for table in tables() {
        let (at, _) = region(&table);
        let file = image(vec![(at, vec![0xA5; 700])]);
        for fault in [Fault::Silent, Fault::Refuse] {
            if fault == Fault::Refuse && table.refusals.frames.is_empty() {
                continue; // it has no word for no
            }
            let (outcome, bench) = play(&table, &file, Some(fault), None);
            assert!(
                matches!(outcome.ended, Some(Ended::Failed(_))),
                "{}, {fault:?}: {:?}",
                table.name,
                outcome.ended
            );
            assert!(!holds(&bench, &file), "{}", table.name);
            assert_eq!(outcome.written, 0, "{}", table.name);
        }
    }
}

#[test]
fn what_was_interrupted_goes_on_where_it_was() {
    for name in ["stm32", "kboot"] {
        let table = Registry::shipped().get(name).unwrap();
        let (at, _) = region(&table);
        let mut chance = fastrand::Rng::with_seed(9);
        let file = image(vec![(at, (0..6_000).map(|_| chance.u8(..)).collect())]);
        let whole = {
            let mut bench = Bench::new(&table, &file, options(Action::Write), None, None);
            bench.link.play(Instant::from_secs(600.0));
            bench.link.now().since(Instant::ZERO)
        };
        // In the middle of writing it is interrupted.
        let mut bench = Bench::new(&table, &file, options(Action::Flash), None, None);
        bench.link.play(Instant::ZERO + whole.mul_f64(0.6));
        let cut = bench.link.host.outcome();
        assert_eq!(cut.ended, None, "{name}: it was interrupted");
        let written = cut.extents.bytes(State::Written);
        assert!(written > 0 && written < 6_000, "{name}: {:?}", cut.extents);
        let resume = SessionOptions { only_changed: true, ..options(Action::Flash) };
        let outcome = bench.again(&file, resume);
        assert_eq!(outcome.ended, Some(Ended::Done), "{name}: {:#?}", outcome.items.last());
        assert!(holds(&bench, &file), "{name}");
        assert!(outcome.written < 6_000, "{name}: what was there is left alone");
        // And once more: there is nothing left to write.
        let again = bench.again(&file, resume);
        assert_eq!((again.ended, again.written), (Some(Ended::Done), 0), "{name}");
    }
}

/// A session that moves the control lines, as far as the middle of its writing.
fn half_written(name: &str, file: &ReadImage, lines: bool) -> Bench<'static> {
    let table = Registry::shipped().get(name).unwrap();
    let mut bench = Bench::new(&table, file, options(Action::Flash), None, None);
    if lines {
        bench.link.host.reset_by(&table.reset.enter[0]);
    }
    while bench.link.host.outcome().written < file.image.size() / 2 {
        let next = bench.link.now() + Span::from_millis(5);
        bench.link.play(next);
        assert!(!bench.link.is_over(), "{name}: {:?}", bench.link.host.outcome().ended);
        bench.link.advance(next);
    }
    bench
}

#[test]
fn a_device_that_is_reset_in_mid_session_is_brought_back_and_what_is_missing_is_written() {
    let mut chance = fastrand::Rng::with_seed(12);
    for name in ["stk500v1", "stk500v2", "stm32", "esp-rom", "lpc-isp", "ti-bsl", "sam-ba"] {
        let table = Registry::shipped().get(name).unwrap();
        let (at, _) = region(&table);
        let file = image(vec![(at, (0..6_000).map(|_| chance.u8(..)).collect())]);
        let mut bench = half_written(name, &file, true);
        let now = bench.link.now();
        bench.link.device.start_application(now);
        bench.link.play(now + Span::from_secs(3_600));
        let outcome = bench.link.host.outcome();
        assert_eq!(outcome.ended, Some(Ended::Done), "{name}: {:#?}", outcome.items.last());
        assert!(holds(&bench, &file), "{name}");
        assert_eq!(outcome.reentries, 1, "{name}");
        let addressed = table.flash.as_ref().unwrap().pieces(FlashRun::Write, &|_| Some(128)).is_some();
        assert!(!addressed || outcome.written < 9_000, "{name}: {} bytes were written", outcome.written);
    }
}

#[test]
fn without_control_lines_a_device_that_left_is_told_with_what_is_written_and_what_is_not() {
    let mut chance = fastrand::Rng::with_seed(13);
    for name in ["stk500v1", "stk500v2"] {
        let file = image(vec![(0, (0..6_000).map(|_| chance.u8(..)).collect())]);
        let mut bench = half_written(name, &file, false);
        let now = bench.link.now();
        bench.link.device.start_application(now);
        bench.link.play(now + Span::from_secs(3_600));
        let outcome = bench.link.host.outcome();
        assert!(matches!(outcome.ended, Some(Ended::Failed(_))), "{name}: {:?}", outcome.ended);
        let (written, untouched) =
            (outcome.extents.bytes(State::Written), outcome.extents.bytes(State::Untouched));
        assert!(written >= 2_900 && untouched >= 2_000, "{name}: {:?}", outcome.extents);
        // Somebody presses its button, and types what was told.
        bench.link.device.reset(bench.link.now());
        let resume = SessionOptions { only_changed: true, ..options(Action::Flash) };
        let resumed = bench.again(&file, resume);
        assert_eq!(resumed.ended, Some(Ended::Done), "{name}: {:#?}", resumed.items.last());
        assert!(resumed.written <= 6_000 - written + 256, "{name}: {}", resumed.written);
        assert!(holds(&bench, &file), "{name}");
    }
}

#[test]
fn an_upload_that_broke_off_begins_anew_and_a_third_one_follows_it() {
    let table = Registry::shipped().get("mcuboot-smp").unwrap();
    let (at, _) = region(&table);
    let mut chance = fastrand::Rng::with_seed(10);
    let mut file = || image(vec![(at, (0..6_000).map(|_| chance.u8(..)).collect())]);
    let (first, second, third) = (file(), file(), file());
    let mut bench = Bench::new(&table, &first, options(Action::Flash), None, None);
    bench.link.play(Instant::from_secs(0.6));
    let cut = bench.link.host.outcome();
    assert_eq!(cut.ended, None, "it was interrupted");
    assert!((1_000..5_000).contains(&cut.written), "{}", cut.written);
    for file in [first, second, third] {
        let outcome = bench.again(&file, options(Action::Flash));
        assert_eq!(outcome.ended, Some(Ended::Unverified), "{:#?}", outcome.items.last());
        assert_eq!(outcome.retries, 0);
        assert!(holds(&bench, &file));
    }
}

#[test]
fn only_the_pages_that_differ_are_erased_and_written() {
    let table = Registry::shipped().get("stm32").unwrap();
    let mut bytes: Vec<u8> = (0..8_192u32).map(|n| (n * 7) as u8).collect();
    let first = image(vec![(0x0800_0000, bytes.clone())]);
    let (_, mut bench) = play(&table, &first, None, None);
    bytes[0x900] ^= 0x55;
    let second = image(vec![(0x0800_0000, bytes)]);
    let outcome = bench.again(&second, SessionOptions { only_changed: true, ..options(Action::Flash) });
    assert_eq!((outcome.ended.clone(), outcome.written), (Some(Ended::Done), 0x400), "{outcome:?}");
    assert!(holds(&bench, &second));
}

// ---- the command -----------------------------------------------------------------------------------------------------

/// An image that an STM32 could run.
fn stm32_image(size: usize) -> Vec<u8> {
    let mut bytes = vec![0x00, 0x50, 0x00, 0x20, 0x09, 0x01, 0x00, 0x08];
    bytes.extend((8..size).map(|n| (n * 31 + n / 256) as u8));
    bytes
}

fn binary(folder: &Folder, name: &str, bytes: &[u8]) -> String {
    let path = folder.path(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Its messages are not wrapped: the width of the terminal is not the subject.
fn flash(words: &[&str]) -> Ran {
    let ran = hsdiag(["flash"].iter().chain(words));
    Ran { err: ran.err.split_whitespace().collect::<Vec<_>>().join(" "), ..ran }
}

#[test]
fn a_good_image_is_written_and_verified() {
    let folder = Folder::new();
    let file = binary(&folder, "app.bin", &stm32_image(3_000));
    let ran = flash(&["sim://stm32", &file, "--protocol", "stm32", "--yes", "--json"]);
    assert_eq!(ran.exit, 0, "{}", ran.whole());
    let json = ran.json();
    assert_eq!(json["schema"], "hsdiag.flash/1");
    assert_eq!(
        (&json["verdict"], &json["chip"]),
        (&"verified".into(), &"STM32F1 medium density (F103x8/B)".into())
    );
    assert_eq!(json["states"]["verified"], json["bytes"]);
    assert!(ran.err.contains("writing 3000 bytes from 0x08000000"), "{}", ran.err);
}

#[test]
fn every_protocol_flashes_its_simulated_device_bit_by_bit() {
    let folder = Folder::new();
    let file = binary(&folder, "app.bin", &stm32_image(3_000));
    for table in tables() {
        let name = table.name.to_string();
        let ran = flash(&[&format!("sim://{name}"), &file, "--protocol", &name, "--yes", "--force"]);
        let expected = if well(&table) == Ended::Done { 0 } else { 4 };
        assert_eq!(ran.exit, expected, "{name}: {}", ran.whole());
    }
}

#[test]
fn without_a_terminal_nothing_is_written_unless_it_was_said() {
    let folder = Folder::new();
    let file = binary(&folder, "app.bin", &stm32_image(3_000));
    let ran = flash(&["sim://stm32", &file, "--protocol", "stm32"]);
    assert_eq!((ran.exit, ran.out.as_str()), (2, ""), "{}", ran.whole());
    assert!(ran.err.contains("--yes"), "{}", ran.err);
}

#[test]
fn what_is_no_image_for_the_device_is_refused_before_anything_is_sent() {
    let folder = Folder::new();
    let noise: Vec<u8> = (0..5_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let noise = binary(&folder, "noise.bin", &noise);
    let good = binary(&folder, "good.bin", &stm32_image(200));
    let cases: [(&[&str], &[&str]); 9] = [
        (&["sim://stm32", &noise, "--protocol", "stm32"], &["noise.bin", "stack pointer", "--force"]),
        (&["sim://stk500v1", &noise, "--protocol", "stk500v1"], &["noise.bin", "JMP"]),
        (&["sim://mcuboot-smp", &good, "--protocol", "mcuboot-smp"], &["imgtool"]),
        (&["sim://esp-rom", &good, "--protocol", "esp-rom"], &["E9"]),
        (
            &["sim://stm32", &good, "--protocol", "stm32", "--base", "0x20000000"],
            &["0x20000000", "do not lie"],
        ),
        (
            &["sim://stm32", &good, "--protocol", "stm32", "--base", "0x08020000", "--chip", "0x0410"],
            &["STM32F1 medium density", "do not lie"],
        ),
        (&["sim://stm32", &folder.file("a.hex", ":10000000ZZ\n"), "--protocol", "stm32"], &["a.hex, line 1"]),
        (
            &[
                "sim://stm32",
                &folder.file("a.s19", "S1137AF00A0A0D0000000000000000000000000062\n"),
                "--protocol",
                "stm32",
            ],
            &["a.s19, line 1"],
        ),
        (&["sim://stm32", &folder.file("a.png", "\u{89}PNG"), "--protocol", "stm32"], &["a.png"]),
    ];
    for (words, said) in cases {
        let ran = flash(&[words, &["--yes"]].concat());
        assert_eq!((ran.exit, ran.out.as_str()), (3, ""), "{words:?} {}", ran.whole());
        for word in said {
            assert!(ran.err.contains(word), "{words:?}: `{word}` is not in {}", ran.err);
        }
    }
}

/// A UF2 block of 256 bytes for a family.
fn uf2_block(family: u32, at: u32, bytes: &[u8]) -> Vec<u8> {
    let mut block = vec![0; 512];
    for (place, word) in [
        (0, 0x0A32_4655),
        (4, 0x9E5D_5157),
        (8, 0x2000),
        (12, at),
        (16, 256),
        (28, family),
        (508, 0x0AB1_6F30_u32),
    ] {
        block[place..place + 4].copy_from_slice(&word.to_le_bytes());
    }
    block[32..32 + bytes.len()].copy_from_slice(bytes);
    block
}

#[test]
fn of_a_uf2_file_the_part_for_the_device_is_taken_and_one_without_is_refused() {
    const RP2040: u32 = 0xE48B_FF56;
    const RP2350: u32 = 0xE48B_FF59;
    let folder = Folder::new();
    let (own, other) = (vec![0x11; 256], vec![0x22; 256]);
    let other = uf2_block(RP2040, 0x1000_0000, &other);
    let both = [other.clone(), uf2_block(RP2350, 0x2000_0000, &own)].concat();
    let both = binary(&folder, "both.uf2", &both);
    let other = binary(&folder, "other.uf2", &other);
    let to = ["sim://rp2350-uart", &both, "--protocol", "rp2350-uart"];
    let ran = flash(&[&to[..], &["--yes"]].concat());
    assert_eq!(ran.exit, 0, "{}", ran.whole());
    assert!(ran.err.contains("256 bytes from 0x20000000"), "{}", ran.err);
    let plan = flash(&[&to[..], &["--dry-run"]].concat());
    assert_eq!(plan.exit, 0, "{}", plan.whole());
    let ran = flash(&["sim://rp2350-uart", &other, "--protocol", "rp2350-uart", "--yes"]);
    assert_eq!((ran.exit, ran.out.as_str()), (3, ""), "{}", ran.whole());
    for word in ["other.uf2", "0xe48bff56", "0xe48bff59", "--force"] {
        assert!(ran.err.contains(word), "`{word}` is not in {}", ran.err);
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = Folder::new();
    let empty = folder.file("empty.bin", "");
    let huge = folder.path("huge.bin");
    std::fs::File::create(&huge).unwrap().set_len(5 << 30).unwrap();
    for (path, word) in [
        (folder.path("none.bin"), "none.bin"),
        (empty, "empty"),
        (huge, "5368709120"),
        (folder.path("."), "read"),
    ] {
        let ran = flash(&["sim://stm32", &path, "--protocol", "stm32", "--yes"]);
        assert_eq!(ran.exit, 3, "{}", ran.whole());
        assert!(ran.err.contains(word), "{}", ran.err);
    }
}

#[test]
fn a_dry_run_prints_the_whole_plan_and_needs_no_port() {
    let folder = Folder::new();
    let file = binary(&folder, "app.bin", &stm32_image(1_000));
    let nowhere = if cfg!(windows) { "COM250" } else { "/dev/ttyNOPE0" };
    let ran = flash(&[nowhere, &file, "--protocol", "stm32", "--dry-run"]);
    assert_eq!(ran.exit, 0, "{}", ran.whole());
    for word in ["0x08000000", "0x080003e7", "4 blocks of 256", "1000 bytes", "about", "115200 baud"] {
        assert!(ran.out.contains(word), "`{word}` is not in {}", ran.out);
    }
    let json = flash(&[nowhere, &file, "--protocol", "stm32", "--dry-run", "--json"]).json();
    assert_eq!((&json["schema"], &json["blocks"]), (&"hsdiag.flash-plan/1".into(), &4.into()));
    assert!(json["estimate"]["seconds"].as_f64().is_some_and(|seconds| seconds > 0.1));
}

#[test]
fn a_protocol_that_cannot_check_says_so() {
    let folder = Folder::new();
    let file = binary(&folder, "app.bin", &[0x5A; 500]);
    for name in ["xmodem", "ymodem"] {
        let ran = flash(&[&format!("sim://{name}"), &file, "--protocol", name, "--yes"]);
        assert_eq!(ran.exit, 4, "{}", ran.whole());
        assert!(ran.out.contains("sent, not verified"), "{}", ran.out);
    }
    let verify = flash(&["verify", "sim://xmodem", &file, "--protocol", "xmodem"]);
    assert_eq!(verify.exit, 2, "{}", verify.whole());
    assert!(verify.err.contains("not possible with xmodem"), "{}", verify.err);
}

#[test]
fn a_failure_tells_the_state_of_the_device_the_diagnosis_and_what_to_type() {
    let folder = Folder::new();
    let file = binary(&folder, "app.bin", &stm32_image(3_000));
    let silent = flash(&["sim://stm32?fault=silent", &file, "--protocol", "stm32", "--yes"]);
    assert_eq!(silent.exit, 1, "{}", silent.whole());
    for word in ["no answer", "Nothing was erased or written", "--try-resets", "hsdiag sweep"] {
        assert!(silent.out.contains(word), "`{word}` is not in {}", silent.out);
    }
    let refuses = flash(&["sim://stm32?fault=refuse", &file, "--protocol", "stm32", "--yes", "--json"]);
    assert_eq!(refuses.exit, 1, "{}", refuses.whole());
    let json = refuses.json();
    assert_eq!(json["verdict"], "failed");
    assert!(!json["diagnosis"].as_array().unwrap().is_empty());
}

#[test]
fn a_port_that_is_gone_is_a_port_error() {
    let folder = Folder::new();
    let file = binary(&folder, "app.bin", &stm32_image(3_000));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = flash(&[&format!("tcp://{closed}"), &file, "--protocol", "stm32", "--yes"]);
    assert_eq!(ran.exit, 3, "{}", ran.whole());
}

#[test]
fn the_device_is_asked_and_read() {
    let folder = Folder::new();
    let info = flash(&["info", "sim://stk500v1", "--protocol", "stk500v1"]);
    assert_eq!(info.exit, 0, "{}", info.whole());
    assert!(info.out.contains("ATmega328P"), "{}", info.out);
    let password = binary(&folder, "password.bin", &[0xFF; 32]);
    let unlocked = ["info", "sim://msp430-bsl", "--protocol", "msp430-bsl", "--set"];
    let info = flash(&[&unlocked[..], &[&format!("password=@{password}")]].concat());
    assert_eq!(info.exit, 0, "{}", info.whole());
    assert!(info.out.contains("MSP430F5529") && info.out.contains("0x2955"), "{}", info.out);
    let out = folder.path("back.bin");
    let read =
        flash(&["read", "sim://sam-ba", "--protocol", "sam-ba", "-o", &out, "--base", "0", "--size", "100"]);
    assert_eq!(read.exit, 0, "{}", read.whole());
    let back = std::fs::read(&out).unwrap();
    assert_eq!((back.len(), &back[..4]), (100, &[0xA0, 0xD6, 0x00, 0x20][..]));
    let again =
        flash(&["read", "sim://sam-ba", "--protocol", "sam-ba", "-o", &out, "--base", "0", "--size", "100"]);
    assert_eq!(again.exit, 2, "a file that is there is not written over: {}", again.whole());
    let erase = flash(&["erase", "sim://stm32", "--protocol", "stm32", "--yes"]);
    assert_eq!(erase.exit, 0, "{}", erase.whole());
    let go = flash(&["go", "sim://stm32", "--protocol", "stm32"]);
    assert_eq!(go.exit, 0, "{}", go.whole());
    let not = flash(&["erase", "sim://xmodem", "--protocol", "xmodem", "--yes"]);
    assert_eq!(not.exit, 2, "{}", not.whole());
}

#[test]
fn verify_tells_where_the_device_differs() {
    let folder = Folder::new();
    let file = binary(&folder, "app.bin", &stm32_image(300));
    let ran = flash(&["verify", "sim://stm32", &file, "--protocol", "stm32"]);
    assert_eq!(ran.exit, 1, "{}", ran.whole());
    assert!(ran.out.contains("at 0x08000000: 00 in the image, FF in the device"), "{}", ran.out);
    assert!(!ran.out.contains("contents"), "the conversation is told to whoever asks for it: {}", ran.out);
    let verbose = flash(&["verify", "sim://stm32", &file, "--protocol", "stm32", "-v"]);
    assert!(verbose.out.contains("contents"), "{}", verbose.out);
    let json = flash(&["verify", "sim://stm32", &file, "--protocol", "stm32", "--json"]).json();
    assert!(!json["items"].as_array().unwrap().is_empty());
}

#[test]
fn the_bootloader_that_answers_is_found_without_naming_it() {
    let folder = Folder::new();
    let file = binary(&folder, "app.bin", &stm32_image(300));
    let ran = flash(&["sim://stm32", &file, "--yes"]);
    assert_eq!(ran.exit, 0, "{}", ran.whole());
    assert!(ran.err.contains("stm32 answers"), "{}", ran.err);
    let ran = flash(&["sim://stk500v1", &file, "--yes", "--force"]);
    assert_eq!(ran.exit, 0, "{}", ran.whole());
    assert!(ran.err.contains("stk500v1 answers"), "{}", ran.err);
}

#[test]
fn another_chip_than_the_one_named_is_left_alone() {
    let folder = Folder::new();
    let file = binary(&folder, "app.bin", &stm32_image(300));
    let ran = flash(&["sim://stm32", &file, "--protocol", "stm32", "--chip", "STM32F411", "--yes"]);
    assert_eq!(ran.exit, 3, "{}", ran.whole());
    assert!(ran.err.contains("not a STM32F411"), "{}", ran.err);
    assert!(!ran.out.contains("ack"), "what was said until then tells nothing of it: {}", ran.out);
    assert!(ran.out.contains("Nothing was erased or written"), "{}", ran.out);
}

#[test]
fn the_way_that_a_board_is_wired_is_found_by_trying() {
    for (board, found) in [
        ("stm32?app=1", "1"),
        ("stm32?app=1&wired=1-swapped", "1-swapped"),
        ("esp-rom?app=1&wired=1-inverted", "1-inverted"),
        ("sam-ba?app=1", "1"),
        ("sam-ba?app=1&wired=2", "2"),
    ] {
        let name = board.split('?').next().unwrap();
        let port = format!("sim://{board}");
        let ran = hsdiag(["handshake", &port, "--protocol", name, "--try-resets", "--json"]);
        assert_eq!(ran.exit, 0, "{board}: {}", ran.whole());
        assert_eq!(ran.json()["found"], found, "{board}: {}", ran.out);
    }
}

#[test]
fn a_device_in_its_application_is_flashed_after_its_reset_sequence() {
    let folder = Folder::new();
    let file = binary(&folder, "app.bin", &stm32_image(600));
    // Opened at 1200 baud and closed again, an Arduino board starts its loader.
    for (port, name, words) in [
        ("sim://sam-ba?app=1", "sam-ba", &[][..]),
        ("sim://stm32?app=1&wired=1-swapped", "stm32", &["--reset-sequence", "1-swapped"]),
    ] {
        let ran = flash(&[&[port, &file, "--protocol", name, "--yes", "--force"][..], words].concat());
        assert_eq!(ran.exit, 0, "{port}: {}", ran.whole());
    }
    let ran = flash(&["sim://sam-ba?app=1", &file, "--protocol", "sam-ba", "--yes", "--no-reset"]);
    assert_eq!(ran.exit, 1, "the application runs: {}", ran.whole());
}

#[test]
fn a_device_that_resets_itself_now_and_then_is_flashed_all_the_same() {
    let folder = Folder::new();
    let file = binary(&folder, "app.bin", &stm32_image(1_500));
    let mut reentries = 0;
    for (name, seed) in [("stk500v1", 2), ("stk500v1", 7), ("stk500v2", 3), ("stk500v2", 7)] {
        let port = format!("sim://{name}?fault=reset&seed={seed}");
        let ran = flash(&[&port, &file, "--protocol", name, "--yes", "--force", "--json"]);
        assert_eq!(ran.exit, 0, "{name}, seed {seed}: {}", ran.whole());
        reentries += ran.json()["reentries"].as_u64().unwrap();
    }
    assert!(reentries > 0, "none of them was brought back");
}

#[test]
fn resets_are_tried_and_a_device_that_answers_already_is_told_apart() {
    let ran = hsdiag(["handshake", "sim://stm32", "--protocol", "stm32", "--try-resets", "--json"]);
    assert_eq!(ran.exit, 0, "{}", ran.whole());
    let json = ran.json();
    assert_eq!((&json["schema"], &json["found"]), (&"hsdiag.reset-search/1".into(), &"none".into()));
}
