//! `[exchanges]`, `[states]`, `[refusals]`, and the runs of the other sections.

use crate::frame::{At, Name};

use super::super::findings::Findings;
use super::super::model::{Answer, Exchange, ExchangeId, FrameId, Refusals, State};
use super::super::parse_talk::{parse_answer, parse_what_can_be};
use super::super::places::Place;
use super::super::talk::{Step, StepKind, Talk};
use super::entry::{Entry, Text, is_name};
use super::line::time;
use super::names::Names;
use super::talks::{resolve_answer, resolve_talk};
use super::tree::Fields;

/// An exchange as it stands in the file; its talk is `None` where it could not be read.
pub(super) struct ExchangeDraft<'t> {
    entry: Entry<'t>,
    /// `None` where there is no talk at all.
    text: Option<Text<'t>>,
    /// Without the steps that could not be read.
    talk: Talk,
    is_whole: bool,
    exchange: Exchange,
}

/// Reads talks, and gives `names` the exchanges with what they take and keep.
pub(super) fn exchanges<'t>(
    section: Option<&Fields<'t>>,
    names: &mut Names,
    found: &mut Findings<'_>,
) -> Vec<ExchangeDraft<'t>> {
    let entries = section.map(Fields::others).unwrap_or_default();
    let drafts: Vec<ExchangeDraft<'t>> = entries.iter().map(|entry| exchange(entry, found)).collect();
    for (index, ExchangeDraft { exchange, .. }) in drafts.iter().enumerate() {
        names.exchanges.insert(exchange.name.clone(), (index, exchange.with.clone()));
        names.arguments.extend(exchange.with.iter().cloned());
        names.everywhere.extend(exchange.keep.iter().cloned());
    }
    drafts
}

fn exchange<'t>(entry: &Entry<'t>, found: &mut Findings<'_>) -> ExchangeDraft<'t> {
    let mut exchange = Exchange {
        name: entry.name(),
        with: Vec::new(),
        keep: Vec::new(),
        talk: Talk::default(),
        unsolicited: None,
        about: String::new(),
    };
    let text = match entry.maybe_text() {
        Some(text) => Some(text),
        None => entry.own_section(found).and_then(|fields| {
            exchange.with = own_names(&fields, "with", found);
            exchange.keep = own_names(&fields, "keep", found);
            exchange.unsolicited = fields.get("unsolicited").and_then(|entry| time(&entry, found));
            exchange.about = fields.words("about", found);
            fields.text("talk", found)
        }),
    };
    let (talk, is_whole) = text.as_ref().map(|text| read_talk(text, found)).unwrap_or_default();
    if let Some(text) = text.as_ref().filter(|_| is_whole && talk.steps.is_empty()) {
        found.error(text.range.clone(), format!("the exchange `{}` says nothing", entry.key));
    }
    ExchangeDraft { entry: *entry, text, talk, is_whole, exchange }
}

/// The talk as far as it can be read, and whether that is all of it.
fn read_talk(text: &Text<'_>, found: &mut Findings<'_>) -> (Talk, bool) {
    let (talk, mistakes) = parse_what_can_be(text.value);
    let is_whole = mistakes.is_empty();
    mistakes.into_iter().for_each(|mistake| found.inside(&text.range, mistake));
    (talk, is_whole)
}

/// A list of names that the exchange itself brings in.
fn own_names(fields: &Fields<'_>, key: &str, found: &mut Findings<'_>) -> Vec<Name> {
    let texts = fields.texts(key, found);
    let mut names: Vec<Name> = Vec::with_capacity(texts.len());
    for Text { value: name, range } in texts {
        if !is_name(name) {
            let says =
                format!("`{name}` is no name; expected lower-case letters, digits and `_`, a letter first");
            found.error(range, says);
        } else if names.iter().any(|known| &**known == name) {
            found.error(range, format!("`{name}` stands twice in `{key}`"));
        } else {
            names.push(Name::new(name));
        }
    }
    names
}

pub(super) fn places(drafts: &[ExchangeDraft<'_>]) -> Vec<Place> {
    let place = |draft: &ExchangeDraft<'_>| Place {
        name: draft.entry.key_range(),
        text: draft.text.as_ref().map_or(draft.entry.key_range(), |text| text.range.clone()),
    };
    drafts.iter().map(place).collect()
}

/// The exchanges with every name checked; `None` where something is wrong, which has been told.
pub(super) fn resolve(
    drafts: Vec<ExchangeDraft<'_>>,
    names: &Names,
    found: &mut Findings<'_>,
) -> Vec<Option<Exchange>> {
    let resolve = |draft: ExchangeDraft<'_>| {
        let (mut talk, text) = (draft.talk, draft.text?);
        let before = found.errors();
        resolve_talk(&mut talk, draft.is_whole, &text.range, &draft.exchange.with, names, found);
        (draft.is_whole && found.errors() == before).then_some(Exchange { talk, ..draft.exchange })
    };
    drafts.into_iter().map(resolve).collect()
}

/// The states, with what may begin in each.
pub(super) fn states(section: Option<&Fields<'_>>, names: &Names, found: &mut Findings<'_>) -> Vec<State> {
    let mut states = Vec::new();
    for entry in section.map(Fields::others).unwrap_or_default() {
        let fields = entry.own_section(found);
        let (mut may, mut about) = (Vec::new(), String::new());
        if let Some(fields) = fields {
            about = fields.words("about", found);
            for text in fields.texts("may", found) {
                let id = Names::find(&names.exchanges, "exchange", text.value, text.range.clone(), found)
                    .map(|(index, _)| ExchangeId(*index));
                match id {
                    Some(id) if may.contains(&id) => {
                        let says = format!("`{}` stands twice in `may`", text.value);
                        found.error(text.range, says);
                    }
                    Some(id) => may.push(id),
                    None => {}
                }
            }
        }
        states.push(State { name: entry.name(), may, about });
    }
    states
}

pub(super) fn frame_ids(
    fields: &Fields<'_>,
    key: &str,
    names: &Names,
    found: &mut Findings<'_>,
) -> Vec<FrameId> {
    let texts = fields.texts(key, found);
    texts.into_iter().filter_map(|text| frame_id(&text, names, found)).collect()
}

pub(super) fn frame_id(text: &Text<'_>, names: &Names, found: &mut Findings<'_>) -> Option<FrameId> {
    Names::find(&names.frames, "frame", text.value, text.range.clone(), found)
        .map(|frame| FrameId(frame.index))
}

/// `[refusals]`, and where each of its answers stands.
pub(super) fn refusals(
    root: &Fields<'_>,
    names: &Names,
    found: &mut Findings<'_>,
) -> (Refusals, Vec<(&'static str, Place)>) {
    let Some(fields) = root.section("refusals", found) else { return Default::default() };
    let mut places = Vec::new();
    let mut answer = |key: &'static str| {
        let entry = fields.get(key)?;
        let text = entry.text(found)?;
        places.push((key, Place { name: entry.key_range(), text: text.range.clone() }));
        let mut message = text.read(found, parse_answer)?;
        resolve_answer(&mut message, &text.range, names, found);
        let frame = names.frames.get(&message.frame)?;
        Some(Answer { frame: FrameId(frame.index), binds: message.binds })
    };
    let (outside, state) = (answer("outside"), answer("state"));
    let (unknown, damaged) = (answer("unknown"), answer("damaged"));
    let frames = frame_ids(&fields, "frames", names, found);
    let returns = fields.truth("returns", found);
    (Refusals { frames, outside, state, unknown, damaged, returns }, places)
}

/// A run of a section, with its place; `own` are the names it is given.
pub(super) fn run(
    fields: &Fields<'_>,
    key: &str,
    own: &[Name],
    names: &Names,
    found: &mut Findings<'_>,
) -> Option<(Talk, Place)> {
    let entry = fields.get(key)?;
    let text = entry.text(found)?;
    let (mut talk, is_whole) = read_talk(&text, found);
    if let Some(step) = first_arrow(&talk) {
        let range = found.place(&text.range, At { from: step.at.from, to: step.at.from + 1 });
        found
            .error(range, "a run calls exchanges; frames, states and effects belong in an exchange")
            .help("move this into `[exchanges]` and call it by its name");
    }
    resolve_talk(&mut talk, is_whole, &text.range, own, names, found);
    Some((talk, Place { name: fields.at.clone(), text: text.range }))
}

fn first_arrow(talk: &Talk) -> Option<&Step> {
    talk.steps.iter().find_map(|step| match &step.kind {
        StepKind::Message(_) | StepKind::Inside(_) | StepKind::Goto(_) => Some(step),
        StepKind::Choice(talks) => talks.iter().find_map(first_arrow),
        StepKind::Times { body, .. } => first_arrow(body),
        StepKind::Each(each) => first_arrow(&each.body),
        StepKind::Call { .. } | StepKind::Guard(_) | StepKind::Phase(_) | StepKind::Again => None,
    })
}
