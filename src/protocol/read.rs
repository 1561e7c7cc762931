//! TOML text to a checked table. Reading goes on behind each mistake, so that one run tells them all.

mod device;
mod entry;
mod exchanges;
mod flash;
mod frames;
mod line;
mod meanings;
mod names;
mod refinements;
mod rewrite;
mod talks;
mod tree;
mod values;

use toml::de::DeTable;

use crate::frame::Name;

use super::check::{check, tell};
use super::findings::Findings;
use super::keys::TABLE;
use super::mistake::{Mistakes, Severity, Warning};
use super::model::{Phase, Table};
use super::places::{Place, Places};
use super::talk::Talk;
use super::time::Time;
use entry::Entry;
use frames::{FrameDrafts, table_envelope};
use line::PhaseDraft;
use names::{Names, Scope};
use tree::{Fields, keys_below};

/// No shipped table has a tenth of that.
const LONGEST_FILE: usize = 256 * 1024;
/// The version of the table language that is read here.
const LANGUAGE: i128 = 1;

impl Table {
    /// Reads a table; `file_name` is what mistakes are told under.
    pub fn read(file_name: &str, text: &str) -> Result<(Table, Vec<Warning>), Mistakes> {
        Table::read_with(file_name, text, Checks::Whole)
    }

    /// Reads a table that is known to be free of what only the whole table shows, as the shipped ones are: a test sees to it.
    pub(super) fn read_proven(file_name: &str, text: &str) -> Result<(Table, Vec<Warning>), Mistakes> {
        Table::read_with(file_name, text, Checks::Parts)
    }

    fn read_with(file_name: &str, text: &str, checks: Checks) -> Result<(Table, Vec<Warning>), Mistakes> {
        let mut found = Findings::new(file_name, text);
        let table = read_file(text, checks, &mut found);
        let list = found.finish();
        match table {
            Some(table) if list.iter().all(|mistake| mistake.severity == Severity::Warning) => {
                Ok((table, list))
            }
            _ => Err(Mistakes::new(list)),
        }
    }
}

/// How closely a table is looked at.
#[derive(Clone, Copy, PartialEq)]
enum Checks {
    /// Each part for itself.
    Parts,
    /// Also the parts together.
    Whole,
}

fn read_file(text: &str, checks: Checks, found: &mut Findings<'_>) -> Option<Table> {
    if text.len() > LONGEST_FILE {
        found.error(0..0, format!("a table of {} bytes; expected at most {LONGEST_FILE}", text.len()));
        return None;
    }
    let (tree, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        tell_toml(error, text, found);
    }
    read_root(&Fields::open(tree.get_ref(), &TABLE, "", 0..0, found), checks, found)
}

/// TOML's own reader speaks its own way.
fn tell_toml(error: &toml::de::Error, text: &str, found: &mut Findings<'_>) {
    let range = error.span().unwrap_or(text.len()..text.len());
    if error.message() == "duplicate key" {
        let key = text.get(range.clone()).unwrap_or("").trim();
        found.error(range, format!("`{key}` stands here a second time"));
        return;
    }
    found.not_toml(range, error.message());
}

fn read_root(root: &Fields<'_>, checks: Checks, found: &mut Findings<'_>) -> Option<Table> {
    check_head(root, found);
    let (own_checksums, checksums) = values::checksums(root, found);
    let mut names = names_of(root, found);
    let sections = ["frames", "exchanges", "states", "line"].map(|key| root.section(key, found));
    let [frames, exchanges, states, line] = &sections;

    let (line, phases) = match line {
        Some(section) => line::line(section, found),
        None => (line::no_line(), Vec::new()),
    };
    if let Some(entry) = root.get("exchanges").filter(|_| root.get("line").is_none()) {
        let says = "a table with exchanges needs a `[line]`: how does the conversation begin on the wire?";
        found.error(entry.key_range(), says);
    }
    names.phases = phases.iter().map(|draft| draft.phase.name.clone()).collect();
    let exchange_drafts = exchanges::exchanges(exchanges.as_ref(), &mut names, found);
    let mut frame_drafts = FrameDrafts::read(frames.as_ref(), found);
    frame_drafts.read_refinements(&mut names, found);
    check_value_fields(root, &names, found);

    let state_keys = states.iter().flat_map(Fields::others);
    names.states = state_keys.enumerate().map(|(index, entry)| (entry.name(), index)).collect();
    let states = exchanges::states(states.as_ref(), &names, found);
    frame_drafts.resolve(&names, found);
    let mut places = Places {
        frames: frame_drafts.places(),
        exchanges: exchanges::places(&exchange_drafts),
        states: sections[2].iter().flat_map(Fields::others).map(key_place).collect(),
        ..Places::default()
    };
    let written = frame_drafts.written();
    let frames = frame_drafts.compile(table_envelope(root, found), &own_checksums, found);
    let exchanges = exchanges::resolve(exchange_drafts, &names, found);

    let (refusals, refusal_places) = exchanges::refusals(root, &names, found);
    places.refusals = refusal_places;
    let handshake = root
        .section("handshake", found)
        .and_then(|fields| exchanges::run(&fields, "run", &[], &names, found));
    let poll = poll(root, &names, found);
    let probe = device::probe(root, &names, found);
    let flash = flash::flash(root, &names, found);
    let (flash, flash_places) = flash.unzip();
    places.flash = flash_places.unwrap_or_default();
    let (meanings, meaning_places) = meanings::meanings(root, &names, found);
    let (vectors, vector_places) = meanings::vectors(root, &names, found);
    places.meanings = meaning_places;
    places.vectors = vector_places;

    let table = Table {
        name: Name::new(root.text("name", found).map_or("", |text| text.value)),
        aliases: root.texts("aliases", found).iter().map(|text| Name::new(text.value)).collect(),
        title: root.maybe_words("title", found).unwrap_or_else(|| root.words("name", found)),
        about: root.words("about", found),
        sources: root.texts("sources", found).iter().map(|text| text.value.to_string()).collect(),
        line,
        phases: resolve_phases(phases, &names, found),
        parameters: values::parameters(root, found),
        lookups: values::lookups(root, found),
        checksums,
        frames: frames.into_iter().collect::<Option<_>>().unwrap_or_default(),
        exchanges: exchanges.into_iter().collect::<Option<_>>().unwrap_or_default(),
        states,
        ignore: exchanges::frame_ids(root, "ignore", &names, found),
        refusals,
        device: root
            .section("device", found)
            .map(|fields| device::device(&fields, &names, found))
            .unwrap_or_default(),
        handshake: placed(handshake, &mut places.handshake),
        poll: placed(poll, &mut places.poll),
        probe: placed(probe, &mut places.probe),
        flash,
        reset: device::reset(root, found),
        chips: device::chips(root, &names, found),
        meanings,
        messages: meanings::messages(root, found),
        vectors,
        show: meanings::show(root, &names, found),
        values: names.values,
    };
    // What is wrong with the whole would only repeat what is wrong with a part.
    if checks == Checks::Whole && found.errors() == 0 {
        tell(check(&table, &written), &places, found);
    }
    Some(table)
}

/// What can be told by name before any expression is read.
fn names_of(root: &Fields<'_>, found: &mut Findings<'_>) -> Names {
    let below = |path: &[&str]| keys_below(root, path).into_iter().map(|(key, _)| Name::new(key));
    Names {
        regions: below(&["device", "memory"]).collect(),
        everywhere: [&["parameters"][..], &["device", "knows"], &["device", "cycles"]]
            .into_iter()
            .flat_map(below)
            .collect(),
        lookups: below(&["lookup"]).collect(),
        values: values::named_values(root, found),
        ..Names::default()
    }
}

fn check_head(root: &Fields<'_>, found: &mut Findings<'_>) {
    if let Some((entry, version)) = root.get("language").and_then(|entry| Some((entry, entry.number(found)?)))
        && version != LANGUAGE
    {
        let says = format!("this table is written in language {version}; expected {LANGUAGE}");
        found.error(entry.range(), says).help("a later hsdiag may read it");
    }
    for text in root.text("name", found).into_iter().chain(root.texts("aliases", found)) {
        let is_well = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if text.value.is_empty() || !text.value.chars().all(is_well) {
            let says = format!(
                "`{}` cannot be a table's name; expected lower-case letters, digits and `-`",
                text.value
            );
            found.error(text.range, says);
        }
    }
}

/// `[values.FIELD]` is of no use when there is no such field.
fn check_value_fields(root: &Fields<'_>, names: &Names, found: &mut Findings<'_>) {
    if names.frames.is_empty() {
        return;
    }
    for (field, range) in keys_below(root, &["values"]) {
        let is_known =
            names.is_field(field) || names.arguments.contains(field) || names.everywhere.contains(field);
        if !is_known {
            let told = found.warning(range, format!("no frame has a field `{field}`"));
            told.did_you_mean(field, names.all_fields());
        }
    }
}

fn key_place(entry: &Entry<'_>) -> Place {
    Place { name: entry.key_range(), text: entry.range() }
}

fn placed<T>(read: Option<(T, Place)>, place: &mut Place) -> Option<T> {
    let (value, at) = read?;
    *place = at;
    Some(value)
}

fn poll(root: &Fields<'_>, names: &Names, found: &mut Findings<'_>) -> Option<((Talk, Time), Place)> {
    let fields = root.section("poll", found)?;
    let every = fields.get("every").and_then(|entry| line::time(&entry, found)).unwrap_or(Time::secs(1.0));
    let (talk, place) = exchanges::run(&fields, "run", &[], names, found)?;
    Some(((talk, every), place))
}

/// The rate of a phase may name whatever the exchange knows that changes to it.
fn resolve_phases(drafts: Vec<PhaseDraft<'_>>, names: &Names, found: &mut Findings<'_>) -> Vec<Phase> {
    drafts
        .into_iter()
        .map(|PhaseDraft { mut phase, baud }| {
            if let Some((rate, text)) = phase.baud.as_mut().zip(baud) {
                Scope::of_any_frame(names, &text.range).resolve(rate, None, found);
            }
            phase
        })
        .collect()
}

#[cfg(test)]
mod tests;
