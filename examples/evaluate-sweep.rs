//! How often the sweep is right, how much it must hear, and how that compares with a walk over a list of rates.
//!
//! `cargo run --release --example evaluate-sweep [-- --devices N --seed S]`
//!
//! `--only PART` looks at the strata with this in their name, `--verbose` tells of each device that was not got right, `--sure` of those
//! that are wrong with more than 0.95, each with what was heard of it.
//!
//! Devices are made by the bit-level simulation of `wire`; the search knows nothing of how they were drawn. Everything runs in virtual
//! time: an adapter that takes 20 ms to change its rate costs nothing here and is counted.

use std::collections::BTreeMap;

use fastrand::Rng;
use hsdiag::line::{Action, Baud, Format, Instant, LineErrors, LineEvent, Settings, Span, Task};
use hsdiag::sweep::{Findings, NoProtocols, Options, Purpose, Search, Verdict};
use hsdiag::wire::{Adapter, Channel, Disturbance, Drift, Noise, Reports};

const STANDARD: [u32; 18] = [
    1200, 2400, 4800, 9600, 19_200, 31_250, 38_400, 57_600, 74_880, 100_000, 115_200, 230_400, 250_000,
    460_800, 500_000, 576_000, 921_600, 1_000_000,
];
/// The rates of the walk that the search is compared with.
const WALKED: [u32; 15] = [
    921_600, 500_000, 460_800, 250_000, 230_400, 115_200, 100_000, 74_880, 57_600, 38_400, 31_250, 19_200,
    9600, 2400, 1200,
];
const SETTLE: Span = Span::from_millis(20);

fn main() {
    let Arguments { devices, seed, only, verbose, sure } = arguments();
    let begun = std::time::Instant::now();
    println!("{devices} devices a stratum, seed {seed}\n");
    println!(
        "{:<34} {:>5} {:>7} {:>7} {:>7} {:>7} {:>6} {:>6} {:>6} {:>6} {:>6} {:>7} {:>7}",
        "stratum",
        "n",
        "baud",
        "format",
        "named",
        "undec.",
        "wrong",
        "w>.95",
        "r>.95",
        "chars",
        "listen",
        "time s",
        "max s"
    );
    let mut everything = Tally::default();
    let mut gentle = Tally::default();
    // Of adapters that tell errors for packets, how long a packet waits says how many characters a listen takes at the least.
    let mut by_latency: BTreeMap<Span, Tally> = BTreeMap::new();
    for stratum in strata() {
        let name = stratum.name();
        if !name.contains(&only) {
            continue;
        }
        let mut tally = Tally::default();
        for number in 0..devices / stratum.part {
            let mut rng = Rng::with_seed(seed.wrapping_mul(1_000_003) ^ (number as u64) << 16 ^ hash(&name));
            let device = Device::draw(&stratum, &mut rng);
            let outcome = device.sweep(&stratum, &mut rng);
            let wrong = !outcome.baud_right || stratum.can_tell() && !outcome.format_right;
            if verbose && wrong || sure && outcome.sure() && !outcome.baud_right {
                println!("{name}, {number}:");
                outcome.tell(&device);
            }
            tally.add(&outcome);
            if stratum.harsh == Harsh::Not {
                gentle.add(&outcome);
            }
            if stratum.errors == LineErrors::Packet && stratum.harsh == Harsh::Not {
                by_latency.entry(device.adapter.packet_time).or_default().add(&outcome);
            }
        }
        tally.show(&name);
        everything.merge(tally);
    }
    everything.show("all");
    gentle.show("upright, edges up to 0.1 late");
    for (latency, mut tally) in by_latency {
        tally.show(&format!("packet, after {:.0} ms", 1e3 * latency.as_secs_f64()));
    }
    if only.is_empty() {
        compare_with_walk(seed);
    }
    println!("\n{} devices in {:.1} s", everything.count, begun.elapsed().as_secs_f64());
}

struct Arguments {
    devices: usize,
    seed: u64,
    only: String,
    verbose: bool,
    sure: bool,
}

fn arguments() -> Arguments {
    let mut all = Arguments { devices: 300, seed: 2026, only: String::new(), verbose: false, sure: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--devices" => all.devices = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(all.devices),
            "--seed" => all.seed = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(all.seed),
            "--only" => all.only = arguments.next().unwrap_or_default(),
            "--verbose" => all.verbose = true,
            "--sure" => all.sure = true,
            other => println!("ignored: {other}"),
        }
    }
    all
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// Devices and adapters that are judged together.
#[derive(Clone, Copy)]
struct Stratum {
    errors: LineErrors,
    fastest: u32,
    harsh: Harsh,
    /// One of so many devices of a full stratum.
    part: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Harsh {
    Not,
    LateEdges,
    EarlyEdges,
    Inverted,
}

fn strata() -> Vec<Stratum> {
    let mut strata = Vec::new();
    for (harsh, part) in
        [(Harsh::Not, 1), (Harsh::LateEdges, 3), (Harsh::EarlyEdges, 3), (Harsh::Inverted, 3)]
    {
        for errors in [LineErrors::PerByte, LineErrors::Packet, LineErrors::Never] {
            for fastest in [921_600, 3_000_000] {
                strata.push(Stratum { errors, fastest, harsh, part });
            }
        }
    }
    strata
}

impl Stratum {
    fn name(&self) -> String {
        let harsh = match self.harsh {
            Harsh::Not => "",
            Harsh::LateEdges => ", edges 0.1-0.25 late",
            Harsh::EarlyEdges => ", edges 0.1-0.25 early",
            Harsh::Inverted => ", inverted",
        };
        format!("{} {}k{harsh}", self.errors.word(), self.fastest / 1000)
    }

    fn can_tell(&self) -> bool {
        self.harsh != Harsh::Inverted && matches!(self.errors, LineErrors::PerByte | LineErrors::Packet)
    }
}

/// A device that chatters, and the adapter it is heard through.
struct Device {
    settings: Settings,
    drift: Drift,
    noise: Disturbance,
    traffic: Traffic,
    adapter: Adapter,
    seed: u64,
}

#[derive(Clone, Copy, Debug)]
enum Traffic {
    Random,
    Text,
    Frames,
}

impl Device {
    fn draw(stratum: &Stratum, rng: &mut Rng) -> Device {
        let baud = if rng.f64() < 0.85 {
            STANDARD[rng.usize(..STANDARD.len())]
        } else {
            (1200.0 * (1e6f64 / 1200.0).powf(rng.f64())) as u32
        };
        let formats = ["8N1", "8N1", "8N1", "8E1", "8O1", "7E1", "8N2"];
        let format: Format = formats[rng.usize(..formats.len())].parse().expect("a format of the list");
        let inverted = stratum.harsh == Harsh::Inverted;
        let settings = Settings { inverted, ..Settings::new(Baud::nearest(f64::from(baud)), format) };
        let late_mark = match stratum.harsh {
            Harsh::LateEdges => 0.1 + 0.15 * rng.f64(),
            Harsh::EarlyEdges => -0.1 - 0.15 * rng.f64(),
            Harsh::Not | Harsh::Inverted => 0.1 * rng.f64(),
        };
        let drift = Drift { skew: 0.03 * rng.f64() - 0.015, jitter: 0.02 * rng.f64(), late_mark };
        let character = settings.character_time();
        let noise = Disturbance {
            glitches: 0.002 / character.as_secs_f64(),
            glitch_length: character / 20,
            ..Disturbance::default()
        };
        let traffic = [Traffic::Random, Traffic::Text, Traffic::Frames][rng.usize(..3)];
        let mut adapter = Adapter::with(stratum.errors, Baud::nearest(f64::from(stratum.fastest)));
        if rng.f64() < 0.5 {
            adapter.packet_time = Span::from_millis(1); // the driver's low-latency mode
        }
        if rng.f64() < 0.3 {
            // A divider of 48 MHz, as in many bridges: only whole parts of it.
            adapter.rates = (16..40_000u32)
                .map(|d| Baud::nearest(48e6 / f64::from(d)))
                .filter(|b| *b <= adapter.fastest)
                .rev()
                .collect();
        }
        Device { settings, drift, noise, traffic, adapter, seed: rng.u64(..) }
    }

    fn bench(&self, errors: LineErrors) -> Bench {
        let receiver = Settings::new(Baud::nearest(9600.0), Format::N8);
        let channel = Channel::new(
            self.settings,
            self.drift,
            Noise::new(self.noise, self.seed ^ 1),
            receiver,
            self.seed,
        );
        let adapter = Adapter { errors, ..self.adapter.clone() };
        Bench {
            channel,
            reports: Reports::through(adapter.clone()),
            adapter,
            talker: Talker { traffic: self.traffic, rng: Rng::with_seed(self.seed ^ 2) },
            sent: Vec::new(),
            heard: Vec::new(),
            now: Instant::from_secs(0.003),
        }
    }

    fn sweep(&self, stratum: &Stratum, _: &mut Rng) -> Outcome {
        let options = Options {
            time: Span::from_secs(40),
            fastest: self.adapter.fastest,
            errors: stratum.errors,
            settle: SETTLE,
            stay: Span::ZERO,
            ..Options::default()
        };
        let mut bench = self.bench(stratum.errors);
        let mut search = Search::new(options, Box::new(NoProtocols));
        bench.run(&mut search);
        Outcome::judge(self, search.findings(), &bench)
    }
}

/// Makes the device's traffic, piece by piece.
struct Talker {
    traffic: Traffic,
    rng: Rng,
}

impl Talker {
    /// Some bytes that follow each other at once, and the rest behind them, in bit times.
    fn next(&mut self) -> (Vec<u8>, f64) {
        const WORDS: [&str; 14] = [
            "boot",
            "rst cause:",
            "0x40080400",
            "I (123)",
            "wifi",
            "temp=21.5",
            "ok",
            "ERROR",
            "init",
            "done",
            "load:",
            "tail 12",
            "heap",
            "volt: 3.31V",
        ];
        let rng = &mut self.rng;
        match self.traffic {
            Traffic::Random => {
                let gap = if rng.f64() < 0.3 { -5.0 * (1.0 - rng.f64()).ln() } else { 0.0 };
                (vec![rng.u8(..)], gap)
            }
            Traffic::Text => {
                let words: Vec<&str> =
                    (0..rng.usize(2..8)).map(|_| WORDS[rng.usize(..WORDS.len())]).collect();
                ((words.join(" ") + "\r\n").into_bytes(), 10.0 + 200.0 * rng.f64())
            }
            Traffic::Frames => {
                let mut frame = vec![0x68, rng.u8(4..20)];
                let length = usize::from(frame[1]);
                frame.extend((0..length).map(|_| if rng.bool() { rng.u8(..16) } else { rng.u8(..) }));
                frame.push(frame.iter().fold(0, |sum, byte| sum ^ byte));
                frame.push(0x16);
                (frame, 33.0 + 100.0 * rng.f64())
            }
        }
    }
}

/// A port in memory: device, adapter, virtual time.
struct Bench {
    channel: Channel,
    adapter: Adapter,
    reports: Reports,
    talker: Talker,
    /// When each of the device's characters ended.
    sent: Vec<Instant>,
    /// What the task was given.
    heard: Vec<LineEvent>,
    now: Instant,
}

impl Bench {
    /// The loop that `transport` runs against a real port, in virtual time.
    fn run(&mut self, task: &mut dyn Task) {
        task.on_settings(self.now, self.channel.receiver());
        loop {
            task.on_time(self.now);
            while let Some(action) = task.next_action() {
                match action {
                    Action::Set(wanted) => match self.adapter.settle(wanted) {
                        Some(settings) => {
                            self.channel.set_receiver(self.now, settings);
                            task.on_settings(self.now, settings);
                        }
                        None => task.on_refused(self.now, wanted, "too fast for this adapter"),
                    },
                    Action::Discard => self.reports.discard(),
                    Action::Done => return,
                    _ => {} // a listener wants nothing else
                }
            }
            for event in self.step() {
                self.heard.push(event);
                task.on_event(&event);
            }
        }
    }

    /// One character of the device later.
    fn step(&mut self) -> Vec<LineEvent> {
        let until = self.now + self.channel.sender().character_time();
        while self.channel.free_at() < until + Span::from_millis(2) {
            let (bytes, rest) = self.talker.next();
            for byte in bytes {
                let end = self.channel.send(&[byte], self.now);
                self.sent.push(end);
            }
            self.channel.rest(rest);
        }
        self.now = until;
        let events = self.channel.receive(until);
        self.reports.deliver(events, until)
    }

    /// Characters that the device sent between two times.
    fn characters(&self, from: Instant, until: Instant) -> usize {
        self.sent.iter().filter(|end| **end > from && **end <= until).count()
    }
}

struct Outcome {
    baud_right: bool,
    format_right: bool,
    /// Whether a standard rate was called by its name; `None` where there is none.
    named: Option<bool>,
    undecided: bool,
    probability: f64,
    characters: usize,
    listens: usize,
    secs: f64,
    findings: Findings,
    heard: Vec<LineEvent>,
}

impl Outcome {
    fn judge(device: &Device, findings: Findings, bench: &Bench) -> Outcome {
        let truth = device.settings;
        let true_rate = truth.baud.hz() * (1.0 + device.drift.skew);
        let same_rate = |settings: Settings| (settings.baud.hz() / true_rate).ln().abs() <= 0.04 + 1e-9;
        let characters =
            findings.listens.iter().map(|listen| bench.characters(listen.from, listen.until)).sum();
        let best = findings.settings.first();
        let told = findings.settings.iter().any(|c| same_rate(c.settings) && c.probability >= 0.02);
        let undecided = matches!(findings.verdict, Verdict::Undecided | Verdict::Ambiguous);
        let baud_right = best.is_some_and(|best| same_rate(best.settings)) || undecided && told;
        let format_of = |settings: Settings| (settings.format.data, settings.format.parity);
        let format_right = baud_right
            && (undecided
                || best.is_some_and(|best| {
                    best.settings.inverted == truth.inverted
                        && (format_of(best.settings) == format_of(truth)
                            || best.alike.contains(&truth.format))
                }));
        Outcome {
            baud_right,
            format_right,
            named: (STANDARD.contains(&truth.baud.get()) && baud_right && !undecided)
                .then(|| best.is_some_and(|best| best.settings.baud == truth.baud)),
            undecided,
            probability: best.map_or(0.0, |best| best.probability),
            characters,
            listens: findings.listens.iter().filter(|listen| listen.purpose != Purpose::Walk).count(),
            secs: findings.elapsed.as_secs_f64(),
            findings,
            heard: bench.heard.clone(),
        }
    }

    fn sure(&self) -> bool {
        self.probability > 0.95
    }

    fn tell(&self, device: &Device) {
        println!(
            "  {} {:?} {:?}: {:?}, {} chars",
            device.settings, device.drift, device.traffic, self.findings.verdict, self.characters
        );
        for listen in &self.findings.listens {
            println!(
                "    {:?} {} {} bytes {:?}",
                listen.purpose, listen.settings, listen.bytes, listen.faults
            );
            let words = self.heard.iter().filter(|event| event.at >= listen.from && event.at <= listen.until);
            let words = words.map(|event| {
                let byte = event.value().unwrap_or(0);
                format!("{byte:02x}{}", if event.fault.is_some() { "!" } else { "" })
            });
            println!("      {}", words.collect::<Vec<_>>().join(" "));
        }
        for c in &self.findings.settings {
            println!(
                "    {:.4} {} measured {:.0} verified {}",
                c.probability, c.settings, c.measured_baud, c.verified
            );
        }
    }
}

#[derive(Default)]
struct Tally {
    count: usize,
    baud: usize,
    format: usize,
    /// Of so many devices at a standard rate, found, so many were given its name.
    standard: usize,
    named: usize,
    undecided: usize,
    wrong: usize,
    sure_and_wrong: usize,
    sure_and_right: usize,
    characters: Vec<usize>,
    listens: Vec<usize>,
    secs: Vec<f64>,
}

impl Tally {
    fn add(&mut self, outcome: &Outcome) {
        self.count += 1;
        self.baud += usize::from(outcome.baud_right);
        self.format += usize::from(outcome.format_right);
        self.standard += usize::from(outcome.named.is_some());
        self.named += usize::from(outcome.named == Some(true));
        self.undecided += usize::from(outcome.undecided);
        self.wrong += usize::from(!outcome.baud_right);
        self.sure_and_wrong += usize::from(!outcome.baud_right && outcome.sure());
        self.sure_and_right += usize::from(outcome.baud_right && outcome.sure());
        self.characters.push(outcome.characters);
        self.listens.push(outcome.listens);
        self.secs.push(outcome.secs);
    }

    fn merge(&mut self, other: Tally) {
        self.count += other.count;
        self.baud += other.baud;
        self.format += other.format;
        self.standard += other.standard;
        self.named += other.named;
        self.undecided += other.undecided;
        self.wrong += other.wrong;
        self.sure_and_wrong += other.sure_and_wrong;
        self.sure_and_right += other.sure_and_right;
        self.characters.extend(other.characters);
        self.listens.extend(other.listens);
        self.secs.extend(other.secs);
    }

    fn show(&mut self, name: &str) {
        let part = |n: usize| 100.0 * n as f64 / self.count.max(1) as f64;
        let named = 100.0 * self.named as f64 / self.standard.max(1) as f64;
        let (baud, format, undecided) = (part(self.baud), part(self.format), part(self.undecided));
        self.secs.sort_by(f64::total_cmp);
        println!(
            "{name:<34} {:>5} {baud:>6.1}% {format:>6.1}% {named:>6.1}% {undecided:>6.1}% {:>6} {:>6} {:>6} {:>6} {:>6} {:>7.3} {:>7.2}",
            self.count,
            self.wrong,
            self.sure_and_wrong,
            self.sure_and_right,
            median(&mut self.characters),
            median(&mut self.listens),
            self.secs.get(self.count / 2).copied().unwrap_or(0.0),
            self.secs.last().copied().unwrap_or(0.0)
        );
    }
}

fn median(values: &mut [usize]) -> usize {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

/// The search beside the walk: the same devices, at the fifteen rates of the walk, 8N1, faults told for each character.
fn compare_with_walk(seed: u64) {
    const EACH: usize = 20;
    let stratum = Stratum { errors: LineErrors::PerByte, fastest: 921_600, harsh: Harsh::Not, part: 1 };
    let mut sums: BTreeMap<&str, (usize, usize, f64, usize)> = BTreeMap::new();
    for (place, rate) in WALKED.into_iter().enumerate() {
        for number in 0..EACH {
            let mut rng = Rng::with_seed(seed ^ 0xBEEF ^ ((place * EACH + number) as u64) << 8);
            let mut device = Device::draw(&stratum, &mut rng);
            device.settings = Settings::new(Baud::nearest(f64::from(rate)), Format::N8);
            device.noise.glitches = 0.002 / device.settings.character_time().as_secs_f64();
            device.noise.glitch_length = device.settings.character_time() / 20;
            device.adapter = Adapter::with(LineErrors::PerByte, Baud::nearest(921_600.0));
            let outcome = device.sweep(&stratum, &mut rng);
            let sum = sums.entry("search").or_default();
            *sum = (
                sum.0 + outcome.characters,
                sum.1 + usize::from(outcome.baud_right),
                sum.2 + outcome.secs,
                sum.3 + outcome.listens,
            );
            for (name, to_the_end) in
                [("walk, all 15 rates", true), ("walk, stopped at the first fit", false)]
            {
                let (found, characters, secs, listens) =
                    walk(&mut device.bench(LineErrors::PerByte), to_the_end);
                let sum = sums.entry(name).or_default();
                let right = found == Some(rate);
                *sum = (sum.0 + characters, sum.1 + usize::from(right), sum.2 + secs, sum.3 + listens);
            }
        }
    }
    let count = WALKED.len() * EACH;
    println!("\n{count} devices at the 15 rates of the walk, 8N1, per-byte reports, 921600 (means):");
    println!("{:<34} {:>7} {:>8} {:>8} {:>8}", "", "right", "chars", "time s", "listens");
    for (name, (characters, right, secs, listens)) in sums {
        let mean = |sum: f64| sum / count as f64;
        println!(
            "{name:<34} {:>6.1}% {:>8.1} {:>8.3} {:>8.1}",
            100.0 * mean(right as f64),
            mean(characters as f64),
            mean(secs),
            mean(listens as f64)
        );
    }
}

/// From the fastest rate down, ten characters at each; the answer is the fastest rate with at least three bytes and at most 2 % framing
/// errors.
fn walk(bench: &mut Bench, to_the_end: bool) -> (Option<u32>, usize, f64, usize) {
    let begun = bench.now;
    let mut found = None;
    let (mut characters, mut listens) = (0, 0);
    for rate in WALKED {
        let settings = bench.channel.receiver().with_baud(Baud::nearest(f64::from(rate)));
        bench.channel.set_receiver(bench.now, settings);
        let from = bench.now + SETTLE;
        let (mut bytes, mut faults) = (0, 0);
        while bench.now < from || bench.characters(from, bench.now) < 10 {
            for event in bench.step().iter().filter(|event| event.at >= from) {
                bytes += 1;
                faults += usize::from(event.fault.is_some());
            }
        }
        characters += bench.characters(from, bench.now);
        listens += 1;
        if bytes >= 3 && faults * 50 <= bytes && found.is_none() {
            found = Some(rate);
            if !to_the_end {
                break;
            }
        }
    }
    (found, characters, (bench.now - begun).as_secs_f64(), listens)
}
