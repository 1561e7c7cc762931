//! `[frames]`: layouts, and frames that narrow others by `like`.

use std::collections::BTreeMap;

use crate::frame::{Checksum, Envelope, ExprKind, Frame, Layout, Name, Path, Refinement, Refines};

use super::super::check::Written;
use super::super::findings::Findings;
use super::super::places::Place;
use super::entry::{Entry, Text};
use super::names::{FrameNames, Names, Own, Scope};
use super::refinements::refinement;
use super::rewrite::{cbor_exprs, layout_exprs};
use super::tree::{Fields, tell_unknown_key};

/// No real protocol has a tenth of that, and each `like` copies a layout.
const MOST_FRAMES: usize = 512;
const LONGEST_LAYOUT: usize = 4096;

/// Frames as they stand in the file.
pub(super) struct FrameDrafts<'t> {
    drafts: Vec<Draft<'t>>,
    /// For each draft, the drafts from the one with a layout down to it.
    order: Vec<usize>,
}

struct Draft<'t> {
    name: Name,
    entry: Entry<'t>,
    body: Body<'t>,
    /// `None`: as the frame that it is like, or as the table.
    envelope: Option<EnvelopeKey>,
    /// It says who sends it.
    is_directed: bool,
    /// Whether everything of it could be read.
    is_whole: bool,
}

enum Body<'t> {
    Layout(Option<Layout>, Text<'t>),
    Like {
        base: usize,
        fields: Vec<Entry<'t>>,
        refinements: Vec<(Entry<'t>, Refinement)>,
    },
    /// Nothing could be read.
    None,
}

#[derive(Clone)]
enum EnvelopeKey {
    None,
    Some(Envelope),
}

impl<'t> FrameDrafts<'t> {
    /// Reads layouts, and finds out which frame is like which.
    pub(super) fn read(section: Option<&Fields<'t>>, found: &mut Findings<'_>) -> FrameDrafts<'t> {
        let entries = section.map(Fields::others).unwrap_or_default();
        if let Some(entry) = entries.get(MOST_FRAMES) {
            found.error(entry.key_range(), format!("more than {MOST_FRAMES} frames; expected fewer"));
        }
        let entries = &entries[..entries.len().min(MOST_FRAMES)];
        let names: Vec<Name> = entries.iter().map(Entry::name).collect();
        let by_name: BTreeMap<Name, usize> = names.iter().cloned().zip(0..).collect();
        let drafts = names.into_iter().zip(entries).map(|(name, entry)| draft(name, entry, &by_name, found));
        let drafts = drafts.collect();
        let mut frames = FrameDrafts { drafts, order: Vec::new() };
        frames.put_in_order(found);
        frames
    }

    pub(super) fn places(&self) -> Vec<Place> {
        let place = |draft: &Draft<'_>| Place {
            name: draft.entry.key_range(),
            text: match &draft.body {
                Body::Layout(_, text) => text.range.clone(),
                _ => draft.entry.key_range(),
            },
        };
        self.drafts.iter().map(place).collect()
    }

    /// What only the file tells of them.
    pub(super) fn written(&self) -> Written {
        let base = |draft: &Draft<'_>| match draft.body {
            Body::Like { base, .. } => Some(self.drafts[base].name.clone()),
            Body::Layout(..) | Body::None => None,
        };
        let directed = self.drafts.iter().filter(|draft| draft.is_directed);
        Written {
            bases: self.drafts.iter().filter_map(base).collect(),
            directed: directed.map(|draft| draft.name.clone()).collect(),
        }
    }

    /// Orders the frames so that each comes behind the one that it is like; circles are told and taken out.
    fn put_in_order(&mut self, found: &mut Findings<'_>) {
        let mut done = vec![false; self.drafts.len()];
        for start in 0..self.drafts.len() {
            let mut chain = Vec::new();
            let mut next = Some(start);
            while let Some(index) = next.filter(|index| !done[*index]) {
                done[index] = true;
                chain.push(index);
                next = match &self.drafts[index].body {
                    Body::Like { base, .. } => Some(*base),
                    _ => None,
                };
            }
            if let Some(at) = next.and_then(|index| chain.iter().position(|other| *other == index)) {
                self.tell_circle(&chain[at..], found);
            }
            self.order.extend(chain.into_iter().rev());
        }
    }

    fn tell_circle(&mut self, circle: &[usize], found: &mut Findings<'_>) {
        let names: Vec<&str> = circle.iter().map(|index| self.drafts[*index].entry.key).collect();
        let says = match names[..] {
            [only] => format!("the frame `{only}` is like itself"),
            _ => format!("frames are like each other in a circle: {}", names.join(", ")),
        };
        found.error(self.drafts[circle[0]].entry.key_range(), says).help("give one of them a layout");
        for index in circle {
            self.drafts[*index].body = Body::None;
            self.drafts[*index].is_whole = false;
        }
    }

    /// Reads what follows each `like`, and gives `names` the fields of every frame.
    pub(super) fn read_refinements(&mut self, names: &mut Names, found: &mut Findings<'_>) {
        // Of those that refine another frame; the others have their own.
        let mut refined: Vec<Option<Layout>> = vec![None; self.drafts.len()];
        let mut frames = BTreeMap::new();
        for &index in &self.order {
            let base = match &self.drafts[index].body {
                Body::Like { base, .. } => match &self.drafts[*base].body {
                    Body::Layout(layout, _) => layout.clone(),
                    _ => refined[*base].clone(),
                },
                Body::Layout(..) | Body::None => None,
            };
            let draft = &mut self.drafts[index];
            let layout = match &mut draft.body {
                Body::None => None,
                Body::Layout(layout, _) => layout.as_ref(),
                Body::Like { fields, refinements, .. } => base.and_then(|mut layout| {
                    let before = found.errors();
                    *refinements = read_fields(&mut layout, fields, names, found);
                    refined[index] = Some(layout).filter(|_| found.errors() == before);
                    refined[index].as_ref()
                }),
            };
            draft.is_whole &= layout.is_some();
            let fields = layout.map(Layout::names);
            let takes = layout.zip(fields.as_deref()).map(|(layout, fields)| free_names(layout, fields));
            let takes = takes.unwrap_or_default();
            frames.insert(draft.name.clone(), FrameNames { index, fields, takes });
        }
        names.set_frames(frames);
    }

    /// Puts numbers in place of their names, and tells names that stand for nothing.
    pub(super) fn resolve(&mut self, names: &Names, found: &mut Findings<'_>) {
        for draft in &mut self.drafts {
            let Some(FrameNames { fields: Some(fields), .. }) = names.frames.get(draft.entry.key) else {
                continue;
            };
            let (nowhere, is_whole) = (0..0, draft.is_whole);
            let scope =
                Scope { names, text: &nowhere, own: Own::Fields(fields), takes_arguments: true, is_whole };
            match &mut draft.body {
                Body::None => {}
                Body::Layout(layout, text) => {
                    let scope = Scope { text: &text.range, ..scope };
                    let mut resolve = |expr: &mut _, field: Option<&str>| scope.resolve(expr, field, found);
                    layout.iter_mut().for_each(|layout| layout_exprs(layout, &mut resolve));
                }
                Body::Like { refinements, .. } => {
                    for (entry, refinement) in refinements {
                        let range = entry.range();
                        resolve_refinement(refinement, entry.key, Scope { text: &range, ..scope }, found);
                    }
                }
            }
        }
    }

    /// Compiles every frame; `None` where something is wrong, which has been told.
    pub(super) fn compile(
        mut self,
        table_envelope: Option<Envelope>,
        checksums: &[Checksum],
        found: &mut Findings<'_>,
    ) -> Vec<Option<Frame>> {
        let mut frames: Vec<Option<Frame>> = vec![None; self.drafts.len()];
        for &index in &self.order {
            let draft = &mut self.drafts[index];
            let base = match draft.body {
                Body::Like { base, .. } => frames[base].as_ref(),
                Body::Layout(..) | Body::None => None,
            };
            let layout = match &mut draft.body {
                _ if !draft.is_whole => None,
                Body::None => None,
                Body::Layout(layout, _) => layout.take(),
                Body::Like { refinements, .. } => base.and_then(|base| refine(base.layout(), refinements)),
            };
            let Some(layout) = layout else { continue };
            let envelope = match &draft.envelope {
                Some(EnvelopeKey::None) => None,
                Some(EnvelopeKey::Some(envelope)) => Some(envelope),
                None => base.map_or(table_envelope.as_ref(), Frame::envelope),
            };
            match Frame::compile(draft.name.clone(), layout, envelope.cloned(), checksums) {
                Ok(frame) => frames[index] = Some(frame),
                Err(mistakes) => tell_uncompiled(draft, base, checksums, mistakes, found),
            }
        }
        frames
    }
}

fn draft<'t>(
    name: Name,
    entry: &Entry<'t>,
    by_name: &BTreeMap<Name, usize>,
    found: &mut Findings<'_>,
) -> Draft<'t> {
    let plain =
        Draft { name, entry: *entry, body: Body::None, envelope: None, is_directed: false, is_whole: false };
    if let Some(text) = entry.maybe_text() {
        let layout = read_layout(&text, found);
        return Draft { is_whole: layout.is_some(), body: Body::Layout(layout, text), ..plain };
    }
    let Some(fields) = entry.own_section(found) else { return plain };
    let before = found.errors();
    let envelope = fields.text("envelope", found).and_then(|text| envelope(&text, found));
    let like = fields.text("like", found);
    let body = match (fields.text("layout", found), like) {
        (Some(layout), None) => {
            // Only with `like` do further keys name fields.
            fields.others().iter().for_each(|other| tell_unknown_key(other, &fields, found));
            Body::Layout(read_layout(&layout, found), layout)
        }
        (None, Some(like)) => match Names::find(by_name, "frame", like.value, like.range, found) {
            Some(base) => {
                Body::Like { base: *base, fields: fields.others().to_vec(), refinements: Vec::new() }
            }
            None => Body::None,
        },
        (Some(layout), Some(_)) => {
            found.error(layout.range, "a frame has either a `layout` or a `like`, not both");
            Body::None
        }
        (None, None) => {
            if fields.get("layout").or(fields.get("like")).is_none() {
                let says = format!("the frame `{}` has neither a `layout` nor a `like`", entry.key);
                found.error(entry.key_range(), says);
                fields.others().iter().for_each(|other| tell_unknown_key(other, &fields, found));
            }
            Body::None
        }
    };
    let is_directed = fields.get("from").and_then(|from| from.word(found)).is_some();
    let is_whole = found.errors() == before && !matches!(body, Body::None | Body::Layout(None, _));
    Draft { body, envelope, is_directed, is_whole, ..plain }
}

fn read_layout(text: &Text<'_>, found: &mut Findings<'_>) -> Option<Layout> {
    if text.value.len() > LONGEST_LAYOUT {
        let says =
            format!("this layout is {} bytes long; expected at most {LONGEST_LAYOUT}", text.value.len());
        found.error(text.range.clone(), says);
        return None;
    }
    text.read(found, Layout::parse)
}

fn envelope(text: &Text<'_>, found: &mut Findings<'_>) -> Option<EnvelopeKey> {
    if text.value.trim() == "none" {
        return Some(EnvelopeKey::None);
    }
    text.read(found, Envelope::parse).map(EnvelopeKey::Some)
}

/// The table's own envelope.
pub(super) fn table_envelope(root: &Fields<'_>, found: &mut Findings<'_>) -> Option<Envelope> {
    match root.text("envelope", found).and_then(|text| envelope(&text, found))? {
        EnvelopeKey::None => None,
        EnvelopeKey::Some(envelope) => Some(envelope),
    }
}

/// Reads the fields behind a `like` and narrows `layout` by them, shapes first: other keys may name fields within them.
fn read_fields<'t>(
    layout: &mut Layout,
    fields: &[Entry<'t>],
    names: &Names,
    found: &mut Findings<'_>,
) -> Vec<(Entry<'t>, Refinement)> {
    let is_shape = |entry: &Entry<'_>| {
        entry.maybe_text().is_some()
            && matches!(layout.refines(entry.key), Some(Refines::Bytes | Refines::Cbor))
    };
    let mut in_order: Vec<(bool, &Entry<'t>)> =
        fields.iter().map(|entry| (!is_shape(entry), entry)).collect();
    in_order.sort_by_key(|(is_last, _)| *is_last);
    let mut refinements = Vec::with_capacity(fields.len());
    for (_, entry) in in_order {
        let Some(kind) = layout.refines(entry.key) else {
            let known = layout.names();
            let says = format!("nothing in this frame is called `{}`", entry.key);
            found.error(entry.key_range(), says).did_you_mean(entry.key, known.iter().map(|name| &**name));
            continue;
        };
        let too_long = entry.maybe_text().filter(|text| text.value.len() > LONGEST_LAYOUT);
        if too_long.is_some_and(|text| read_layout(&text, found).is_none()) {
            continue;
        }
        let Some(refinement) = refinement(entry, kind, names, found) else { continue };
        match layout.refine(entry.key, refinement.clone()) {
            Ok(()) => refinements.push((*entry, refinement)),
            Err(mistake) => {
                let told = found.error(entry.range(), mistake.says);
                mistake.help.into_iter().for_each(|help| told.help(help));
            }
        }
    }
    refinements
}

/// Bare names in the expressions of a layout that are none of its `fields`.
fn free_names(layout: &Layout, fields: &[Name]) -> Vec<Name> {
    let mut names = Vec::new();
    layout.exprs(&mut |expr| {
        expr.walk(&mut |part| match &part.kind {
            ExprKind::Path(Path { first, rest: None }) if !fields.contains(first) => {
                names.push(first.clone())
            }
            _ => {}
        });
    });
    names
}

fn resolve_refinement(refinement: &mut Refinement, field: &str, scope: Scope<'_>, found: &mut Findings<'_>) {
    let mut resolve = |expr: &mut _, field: Option<&str>| scope.resolve(expr, field, found);
    match refinement {
        Refinement::Computed(expr) | Refinement::Sends { first: expr, .. } => resolve(expr, Some(field)),
        Refinement::Shape(layout) => layout_exprs(layout, &mut resolve),
        Refinement::Cbor(keys) => cbor_exprs(keys, &mut resolve),
        Refinement::Fixed(_) | Refinement::OneOf(_) => {}
    }
}

fn refine(base: &Layout, refinements: &[(Entry<'_>, Refinement)]) -> Option<Layout> {
    let mut layout = base.clone();
    for (entry, refinement) in refinements {
        layout.refine(entry.key, refinement.clone()).ok()?;
    }
    Some(layout)
}

/// Tells why a frame cannot be, at the layout, or at the key behind `like` that made it so.
fn tell_uncompiled(
    draft: &Draft<'_>,
    base: Option<&Frame>,
    checksums: &[Checksum],
    mistakes: Vec<crate::frame::Mistake>,
    found: &mut Findings<'_>,
) {
    let (refinements, base) = match (&draft.body, base) {
        (Body::Layout(_, text), _) => {
            mistakes.into_iter().for_each(|mistake| found.inside(&text.range, mistake));
            return;
        }
        (Body::Like { refinements, .. }, Some(base)) => (refinements, base.layout()),
        _ => return,
    };
    let breaks = |count: &usize| {
        refine(base, &refinements[..*count]).is_some_and(|layout| {
            let envelope = None;
            Frame::compile(draft.name.clone(), layout, envelope, checksums).is_err()
        })
    };
    let guilty = (1..=refinements.len()).find(breaks).map(|count| &refinements[count - 1]);
    for mistake in mistakes {
        match guilty {
            Some((entry, Refinement::Shape(_) | Refinement::Computed(_) | Refinement::Cbor(_)))
                if entry.maybe_text().is_some_and(|text| mistake.at.to as usize <= text.value.len()) =>
            {
                found.inside(&entry.range(), mistake);
            }
            guilty => {
                let range = guilty.map_or(draft.entry.key_range(), |(entry, _)| entry.range());
                let told = found.error(range, mistake.says);
                mistake.help.into_iter().for_each(|help| told.help(help));
            }
        }
    }
}
