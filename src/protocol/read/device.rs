//! `[device]`, and what a host does with it as a whole: `[probe]`, `[reset]`, `[chips]`.

use crate::frame::{Blob, Expr, Name, Value};

use super::super::findings::Findings;
use super::super::model::{Chip, Device, Probe, Quiet, Region, ResetSequences, Risk, ScriptStep, StateId};
use super::super::places::Place;
use super::entry::{Entry, parse_hex_bytes, parse_number};
use super::exchanges::run;
use super::line::{baud, script, time};
use super::names::{Names, Scope};
use super::tree::Fields;
use super::values::value;

pub(super) fn device(fields: &Fields<'_>, names: &Names, found: &mut Findings<'_>) -> Device {
    let values = |key: &str, found: &mut Findings<'_>| {
        fields.section(key, found).map(|section| section.others().to_vec()).unwrap_or_default()
    };
    Device {
        knows: values("knows", found)
            .iter()
            .filter_map(|entry| Some((entry.name(), value(entry, found)?)))
            .collect(),
        cycles: values("cycles", found).iter().filter_map(|entry| cycle(entry, found)).collect(),
        memory: memory(fields, found),
        damaged: fields.get("damaged").and_then(|entry| quiet(&entry, found)).unwrap_or_default(),
        silence: fields.section("silence", found).and_then(|silence| {
            let after = silence.get("after").and_then(|entry| time(&entry, found));
            let quiet = silence.get("do").and_then(|entry| quiet(&entry, found));
            after.zip(quiet)
        }),
        application: fields.texts("application", found).iter().map(|text| text.value.to_string()).collect(),
        application_states: fields
            .texts("application_states", found)
            .into_iter()
            .filter_map(|text| Names::find(&names.states, "state", text.value, text.range, found))
            .map(|index| StateId(*index))
            .collect(),
        application_baud: fields.get("application_baud").and_then(|entry| baud(&entry, found)),
        hears: hears(fields, names, found),
    }
}

fn cycle(entry: &Entry<'_>, found: &mut Findings<'_>) -> Option<(Name, Vec<Value>)> {
    let values: Vec<Value> = entry.list(found).iter().filter_map(|item| value(item, found)).collect();
    if values.is_empty() {
        if entry.is_list() {
            found.error(
                entry.range(),
                format!("`{}` is an empty list; expected its values in turn", entry.key),
            );
        }
        return None;
    }
    Some((entry.name(), values))
}

/// A condition on a frame: it may name the fields of any.
fn hears(fields: &Fields<'_>, names: &Names, found: &mut Findings<'_>) -> Option<Expr> {
    let text = fields.text("hears", found)?;
    let mut condition = text.read(found, Expr::parse)?;
    Scope::of_any_frame(names, &text.range).resolve(&mut condition, None, found);
    Some(condition)
}

fn quiet(entry: &Entry<'_>, found: &mut Findings<'_>) -> Option<Quiet> {
    Some(match entry.word(found)? {
        "leave" => Quiet::Leave,
        _ => Quiet::Stay,
    })
}

/// The regions under `memory` of a section.
fn memory(fields: &Fields<'_>, found: &mut Findings<'_>) -> Vec<Region> {
    let Some(section) = fields.section("memory", found) else { return Vec::new() };
    let mut regions: Vec<Region> = Vec::new();
    for (name, fields) in section.named_sections(found) {
        let Some(region) = region(&name, &fields, found) else { continue };
        let last = |region: &Region| region.base + (region.size - 1);
        let overlapping =
            regions.iter().find(|other| other.base <= last(&region) && region.base <= last(other));
        if let Some(other) = overlapping {
            found.error(
                name.key_range(),
                format!("the regions `{}` and `{}` overlap", other.name, region.name),
            );
        }
        regions.push(region);
    }
    regions
}

fn region(name: &Entry<'_>, fields: &Fields<'_>, found: &mut Findings<'_>) -> Option<Region> {
    let number = |key: &str, found: &mut Findings<'_>| fields.number(key, found).map(|number| number as u64);
    let ram = fields.truth("ram", found);
    let base = number("base", found).unwrap_or(0);
    let erased = number("erased", found).unwrap_or(if ram { 0 } else { 0xFF }) as u8;
    let page = number("page", found);
    let sectors: Vec<(u64, u64)> =
        fields.list("sectors", found).iter().filter_map(|item| sectors(item, found)).collect();
    let clears = fields.get("programs").and_then(|entry| entry.word(found)) == Some("clears");
    let content = fields.get("content").and_then(|entry| value(&entry, found));
    let size = number("size", found)?;
    if base.checked_add(size - 1).is_none() {
        found.error(name.key_range(), format!("the region `{}` ends beyond 64 bits", name.key));
        return None;
    }
    let in_sectors =
        sectors.iter().fold(0_u64, |sum, (count, size)| sum.saturating_add(count.saturating_mul(*size)));
    if let Some(entry) = fields.get("sectors").filter(|_| !sectors.is_empty() && in_sectors != size) {
        found.error(
            entry.range(),
            format!("the sectors hold {in_sectors:#x} bytes, and the region {size:#x}"),
        );
    }
    let content = match content {
        None => Blob::default(),
        Some(Value::Bytes(blob)) if blob.bytes.len() as u64 <= size => Blob { at: base, ..blob },
        Some(_) => {
            let range = fields.get("content").map_or(name.key_range(), |entry| entry.range());
            found.error(range, format!("`content` must be bytes, at most {size:#x}"));
            Blob::default()
        }
    };
    Some(Region { name: name.name(), base, size, erased, page, sectors, clears, ram, content })
}

/// `4 x 0x4000`.
fn sectors(item: &Entry<'_>, found: &mut Findings<'_>) -> Option<(u64, u64)> {
    let text = item.text(found)?;
    let numbers = text.value.split_once('x').or_else(|| text.value.split_once('×'));
    let number = |word: &str| parse_number(word.trim()).and_then(|number| u64::try_from(number).ok());
    let read = numbers.and_then(|(count, size)| number(count).zip(number(size)));
    let read = read.filter(|(count, size)| *count > 0 && *size > 0);
    if read.is_none() {
        let says = format!("`{}` is no count and size of sectors", text.value);
        found.error(text.range, says).help("such as `4 x 0x4000`");
    }
    read
}

pub(super) fn probe(root: &Fields<'_>, names: &Names, found: &mut Findings<'_>) -> Option<(Probe, Place)> {
    let fields = root.section("probe", found)?;
    let risk = fields.get("risk").and_then(|entry| entry.word(found));
    let warning = fields.words("warning", found);
    if let Some(entry) = fields.get("risk").filter(|_| warning.is_empty() && risk != Some("harmless")) {
        found.error(entry.range(), "`warning` is missing: what may a wrong device do with this?");
    }
    let (run, place) = run(&fields, "run", &[], names, found)?;
    let risk = match risk? {
        "harmless" => Risk::Harmless,
        "disturbing" => Risk::Disturbing,
        _ => Risk::Dangerous,
    };
    Some((Probe { run, risk, warning }, place))
}

pub(super) fn reset(root: &Fields<'_>, found: &mut Findings<'_>) -> ResetSequences {
    let Some(fields) = root.section("reset", found) else { return ResetSequences::default() };
    let mut scripts = |key: &str| -> Vec<Vec<ScriptStep>> {
        fields.list(key, found).iter().filter_map(|item| script(item, found)).collect()
    };
    ResetSequences { enter: scripts("enter"), leave: scripts("leave") }
}

pub(super) fn chips(root: &Fields<'_>, names: &Names, found: &mut Findings<'_>) -> Vec<Chip> {
    let Some(section) = root.section("chips", found) else { return Vec::new() };
    let by = section.text("by", found).map(|text| {
        let name = Name::new(text.value);
        if !names.everywhere.contains(&name) {
            let mistake = found.error(text.range, format!("no exchange keeps `{name}`"));
            mistake.did_you_mean(&name, names.everywhere.iter().map(|name| &**name));
        }
        name
    });
    let chips = section.named_sections(found);
    chips.iter().filter_map(|(key, fields)| chip(key, fields, by.clone(), names, found)).collect()
}

/// A section that gives parameters other values.
pub(super) fn set_parameters(
    fields: &Fields<'_>,
    key: &str,
    names: &Names,
    found: &mut Findings<'_>,
) -> Vec<(Name, Value)> {
    let mut parameters = Vec::new();
    for entry in fields.section(key, found).iter().flat_map(Fields::others) {
        if !names.everywhere.contains(entry.key) {
            let mistake = found.error(entry.key_range(), format!("no parameter is called `{}`", entry.key));
            mistake.did_you_mean(entry.key, names.everywhere.iter().map(|name| &**name));
        }
        parameters.extend(value(entry, found).map(|value| (entry.name(), value)));
    }
    parameters
}

fn chip(
    key: &Entry<'_>,
    fields: &Fields<'_>,
    by: Option<Name>,
    names: &Names,
    found: &mut Findings<'_>,
) -> Option<Chip> {
    let value = match parse_number(key.key) {
        Some(number) => Value::Int(number),
        None => Value::bytes(parse_hex_bytes(key.key)?),
    };
    let parameters = set_parameters(fields, "parameters", names, found);
    let (title, memory) = (fields.words("title", found), memory(fields, found));
    Some(Chip { by: by?, value, title, memory, parameters })
}
