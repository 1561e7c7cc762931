//! `[flash]`.

use crate::frame::{Expr, Name};

use super::super::findings::Findings;
use super::super::flash::{FLASH_NAMES, Flash, FlashRun, ImageCheck, ImagePatch};
use super::super::places::Place;
use super::exchanges::run;
use super::names::{Names, Own, Scope};
use super::tree::Fields;

/// The section, and where each of its runs stands.
pub(super) fn flash(
    root: &Fields<'_>,
    names: &Names,
    found: &mut Findings<'_>,
) -> Option<(Flash, Vec<(FlashRun, Place)>)> {
    let fields = root.section("flash", found)?;
    let own: Vec<Name> = FLASH_NAMES.into_iter().chain(["image"]).map(Name::new).collect();
    let mut flash = Flash {
        base: fields.number("base", found).map_or(0, |base| base as u64),
        memory: regions(&fields, names, found),
        machines: fields
            .list("machines", found)
            .iter()
            .filter_map(|item| item.word(found))
            .map(String::from)
            .collect(),
        interrupted: fields.words("interrupted", found),
        families: fields
            .list("family", found)
            .iter()
            .filter_map(|item| u32::try_from(item.number(found)?).ok())
            .collect(),
        write_erases: fields.truth("write_erases", found),
        patches: fields
            .sections("patch", found)
            .iter()
            .filter_map(|patch| image_patch(patch, &own, names, found))
            .collect(),
        checks: fields
            .sections("check", found)
            .iter()
            .filter_map(|check| image_check(check, &own, names, found))
            .collect(),
        runs: Vec::new(),
    };
    let mut places = Vec::new();
    for kind in FlashRun::ALL {
        if let Some((talk, place)) = run(&fields, kind.key(), &own, names, found) {
            flash.runs.push((kind, talk));
            places.push((kind, place));
        }
    }
    Some((flash, places))
}

fn regions(fields: &Fields<'_>, names: &Names, found: &mut Findings<'_>) -> Vec<Name> {
    let mut regions = Vec::new();
    for text in fields.texts("memory", found) {
        if names.regions.contains(text.value) {
            regions.push(Name::new(text.value));
            continue;
        }
        let mistake =
            found.error(text.range, format!("no region of `[device.memory]` is called `{}`", text.value));
        mistake.did_you_mean(text.value, names.regions.iter().map(|name| &**name));
    }
    regions
}

/// An expression over an image.
fn over_image(
    fields: &Fields<'_>,
    key: &str,
    own: &[Name],
    names: &Names,
    found: &mut Findings<'_>,
) -> Option<Expr> {
    let text = fields.text(key, found)?;
    let mut expr = text.read(found, Expr::parse)?;
    Scope { names, text: &text.range, own: Own::Names(own), takes_arguments: false, is_whole: true }
        .resolve(&mut expr, None, found);
    Some(expr)
}

fn image_patch(
    fields: &Fields<'_>,
    own: &[Name],
    names: &Names,
    found: &mut Findings<'_>,
) -> Option<ImagePatch> {
    let becomes = over_image(fields, "becomes", own, names, found)?;
    Some(ImagePatch {
        address: over_image(fields, "address", own, names, found),
        when: over_image(fields, "when", own, names, found),
        becomes,
        says: fields.words("as", found),
    })
}

fn image_check(
    fields: &Fields<'_>,
    own: &[Name],
    names: &Names,
    found: &mut Findings<'_>,
) -> Option<ImageCheck> {
    let holds = over_image(fields, "holds", own, names, found)?;
    Some(ImageCheck { holds, says: fields.words("as", found), remedy: fields.maybe_words("remedy", found) })
}
