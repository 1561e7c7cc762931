//! `hsdiag sweep` on lines that are not what a search hopes for.

use std::process::Command;

use serde_json::Value;

/// The answer to `hsdiag sweep PORT --json ...`, and its exit code.
fn sweep(port: &str, more: &[&str]) -> (Value, Option<i32>) {
    let mut hsdiag = Command::new(env!("CARGO_BIN_EXE_hsdiag"));
    let output = hsdiag.args(["sweep", port, "--json"]).args(more).output().unwrap();
    let answer = serde_json::from_slice(&output.stdout);
    (answer.unwrap_or_else(|error| panic!("{error}: {output:?}")), output.status.code())
}

fn evidence<'a>(answer: &'a Value, kind: &str) -> Vec<&'a Value> {
    answer["evidence"].as_array().unwrap().iter().filter(|one| one["kind"] == kind).collect()
}

#[test]
fn a_device_that_changes_its_rate_gives_settings_for_each_stretch() {
    let (answer, code) = sweep("sim://console?baud=74880&then=115200@4.2s&seed=3", &["--time", "25s"]);
    assert_eq!(code, Some(0), "{answer:#}");
    let stretches = answer["stretches"].as_array().unwrap();
    let bauds: Vec<u64> = stretches.iter().map(|stretch| stretch["baud"].as_u64().unwrap()).collect();
    assert_eq!(bauds, [74_880, 115_200], "{answer:#}");
    let changes = evidence(&answer, "rate-changed");
    assert_eq!(changes.len(), 1, "{answer:#}");
    assert_eq!(
        (&changes[0]["numbers"]["from"], &changes[0]["numbers"]["to"]),
        (&74_880.into(), &115_200.into())
    );
    assert_eq!(answer["settings"][0]["baud"], 115_200);
}

#[test]
fn a_port_on_which_the_rate_has_no_effect_is_named_as_such() {
    let (answer, code) = sweep("sim://nmea?native=1", &["--time", "15s"]);
    assert_eq!(code, Some(0), "{answer:#}");
    assert_eq!(answer["rate_has_no_effect"], true, "{answer:#}");
    assert_eq!(evidence(&answer, "same-at-any-rate").len(), 1);
    assert_eq!(answer["settings"][0]["protocol"], "nmea");
}

#[test]
fn a_rate_that_does_have_an_effect_is_not_said_to_have_none() {
    let (answer, _) = sweep("sim://nmea?baud=9600", &["--time", "15s"]);
    assert_eq!(answer["rate_has_no_effect"], false, "{answer:#}");
}

#[test]
fn a_driver_that_sets_another_rate_than_it_is_asked_for_does_not_lead_astray() {
    for baud in [9600, 57_600, 115_200] {
        for errors in ["none", "per-byte"] {
            let port = format!("sim://nmea?baud={baud}&errors={errors}&snaps=38400");
            let (answer, exit) = sweep(&port, &[]);
            assert_eq!((exit, &answer["settings"][0]["baud"]), (Some(0), &baud.into()), "{port}: {answer:#}");
        }
    }
}
