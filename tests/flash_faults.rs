//! A small, seeded slice of `examples/evaluate-flash`: sessions with mishaps over every table that flashes.

use hsdiag::flash::Ended;
use hsdiag::protocol::Registry;
use hsdiag::simulate::Mishap;

#[path = "../examples/evaluate-flash/session.rs"]
mod session;

use session::{Claim, Flasher, Weather};

/// Every table that flashes.
fn flashers() -> Vec<Flasher> {
    let registry = Registry::shipped();
    let tables = registry.sources().filter_map(|source| source.table().ok());
    let tables: Vec<_> = tables.filter(|table| table.flash.is_some()).collect();
    assert!(tables.len() >= 20, "only {} tables flash", tables.len());
    let flasher =
        |table| Flasher::of(table).unwrap_or_else(|| panic!("{} fails on a clean line", table.name));
    tables.into_iter().map(flasher).collect()
}

/// What the sessions of a table came to, in weathers that take turns.
fn play(flasher: &Flasher, weathers: &[Weather], sessions: u64) -> Vec<session::Outcome> {
    let weather = |seed: u64| weathers[seed as usize % weathers.len()];
    (0..sessions).map(|seed| flasher.session(seed, weather(seed))).collect()
}

#[test]
fn nothing_is_called_verified_that_the_device_does_not_hold() {
    let mut weathers = vec![Weather { one_in: 400, device: None }, Weather { one_in: 1_500, device: None }];
    weathers.extend(Mishap::OF_DEVICE.map(|mishap| Weather { one_in: 2_000, device: Some(mishap) }));
    let mut mishaps = 0;
    for flasher in flashers() {
        for (seed, outcome) in play(&flasher, &weathers, 12).into_iter().enumerate() {
            let told = format!("{}, seed {seed}: {outcome:?}", flasher.name());
            assert!(outcome.equal || outcome.claim != Claim::Verified, "{told}");
            assert!(flasher.verifies || outcome.claim != Claim::Verified, "{told}");
            assert_eq!(outcome.ended == Some(Ended::Done), outcome.claim == Claim::Verified, "{told}");
            assert_eq!(outcome.weather, weathers[seed % weathers.len()], "{told}");
            mishaps += outcome.mishaps.iter().sum::<usize>();
        }
    }
    assert!(mishaps > 300, "only {mishaps} mishaps happened");
}

#[test]
fn with_one_mishap_in_a_thousand_characters_nearly_every_session_succeeds() {
    let weathers = [Weather { one_in: 1_000, device: None }];
    for flasher in flashers() {
        let outcomes = play(&flasher, &weathers, 20);
        let failed: Vec<_> = outcomes.iter().filter(|outcome| outcome.claim == Claim::Failed).collect();
        assert!(failed.len() <= 1, "{}: {failed:?}", flasher.name());
    }
}

#[test]
fn a_session_that_is_played_again_ends_the_same_way() {
    let flasher = &flashers()[0];
    let weather = Weather { one_in: 400, device: Some(Mishap::PowerLoss) };
    let (one, other) = (flasher.session(7, weather), flasher.session(7, weather));
    assert_eq!((one.attempts, format!("{one:?}")), (other.attempts, format!("{other:?}")));
}
