//! What came of many sessions, and how it is printed.

use std::time::Duration;

use serde_json::json;

use hsdiag::simulate::Mishap;

use super::session::{Claim, Flasher, Outcome};

/// What came of the sessions of a table.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub name: String,
    pub verifies: bool,
    pub sessions: usize,
    pub mishaps: usize,
    pub verified: usize,
    pub sent: usize,
    pub failed: usize,
    /// "Verified", and the device does not hold the image.
    pub wrongly: usize,
    /// Sent, and the device does not hold the image: what the protocol's own checks missed.
    pub missed: usize,
    /// Sessions with at most one mishap in 1,000 characters and the right chip, and how many of them ended well.
    pub fair: usize,
    pub fair_well: usize,
    pub anew: usize,
    pub took: Duration,
}

/// The roughest line of which most sessions must succeed.
const FAIR: u32 = 1_000;

impl Outcome {
    /// The host is content, and the device does not hold the image.
    pub fn is_wrong(&self) -> bool {
        self.claim == Claim::Verified && !self.equal
    }
}

impl Tally {
    pub fn of(flasher: &Flasher) -> Tally {
        Tally { name: flasher.name().into(), verifies: flasher.verifies, ..Tally::default() }
    }

    pub fn count(&mut self, outcome: &Outcome) {
        self.sessions += 1;
        self.mishaps += outcome.mishaps.iter().sum::<usize>() + usize::from(outcome.weather.device.is_some());
        self.anew += outcome.attempts as usize - 1;
        match outcome.claim {
            Claim::Verified => self.verified += 1,
            Claim::Sent => self.sent += 1,
            Claim::Failed => self.failed += 1,
        }
        self.wrongly += usize::from(outcome.is_wrong());
        self.missed += usize::from(outcome.claim == Claim::Sent && !outcome.equal);
        if outcome.weather.one_in >= FAIR && outcome.weather.device != Some(Mishap::WrongChip) {
            self.fair += 1;
            self.fair_well += usize::from(outcome.claim != Claim::Failed);
        }
    }

    pub fn add(&mut self, other: &Tally) {
        self.sessions += other.sessions;
        self.mishaps += other.mishaps;
        self.verified += other.verified;
        self.sent += other.sent;
        self.failed += other.failed;
        self.wrongly += other.wrongly;
        self.missed += other.missed;
        self.fair += other.fair;
        self.fair_well += other.fair_well;
        self.anew += other.anew;
    }

    fn share(&self) -> f64 {
        100.0 * self.fair_well as f64 / self.fair.max(1) as f64
    }
}

pub fn table(tallies: &[Tally], seed: u64, took: Duration) {
    println!(
        "| table | sessions | mishaps | begun anew | verified | sent, not verified | failed | succeed at 1 in 1,000 | sent and wrong | verified and wrong |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut all = Tally { name: "all".into(), ..Tally::default() };
    tallies.iter().for_each(|tally| all.add(tally));
    for tally in tallies.iter().chain([&all]) {
        let missed = match tally.sent {
            0 => "-".into(),
            sent => format!("{} ({:.2} %)", tally.missed, 100.0 * tally.missed as f64 / sent as f64),
        };
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {:.1} % | {missed} | {} |",
            tally.name,
            tally.sessions,
            tally.mishaps,
            tally.anew,
            tally.verified,
            tally.sent,
            tally.failed,
            tally.share(),
            tally.wrongly
        );
    }
    let each = took.as_secs_f64() * 1e3 / all.sessions.max(1) as f64;
    println!("\nseed {seed}, {:.0} s, {each:.2} ms a session", took.as_secs_f64());
}

pub fn json(tallies: &[Tally], seed: u64) {
    let tables: Vec<_> = tallies
        .iter()
        .map(|tally| {
            json!({
                "table": tally.name, "verifies": tally.verifies, "sessions": tally.sessions, "mishaps": tally.mishaps,
                "begun_anew": tally.anew, "verified": tally.verified, "sent": tally.sent, "failed": tally.failed,
                "fair": tally.fair, "fair_succeeded": tally.fair_well, "sent_wrong": tally.missed,
                "verified_wrong": tally.wrongly,
            })
        })
        .collect();
    println!("{}", json!({ "schema": "hsdiag.flash-evaluation/1", "seed": seed, "tables": tables }));
}
