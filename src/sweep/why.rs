//! Why the line is as a sweep found it: what the search itself knows of rates and polarity, and the diagnosis of what was heard at the best
//! settings.

use std::sync::Arc;

use crate::capture::{Header, Record, What};
use crate::diagnose::{Cause, Diagnosis, diagnose_silence, likeliest, observe};
use crate::line::{Direction, Format, LineErrors, LineEvent, Seen, Settings};
use crate::machine::{Env, Item, ItemKind, Program};

use super::findings::{Findings, Verdict};
use super::search::decoded;

/// Records of one stretch that are looked at; the newest ones decide.
const MOST_RECORDS: usize = 4096;

/// `records` are those of the whole sweep, `header` says how the port told them; `programs` gives every table.
pub fn why(
    found: &Findings,
    header: &Header,
    records: &[Record],
    programs: &dyn Fn() -> Vec<Arc<Program>>,
) -> Diagnosis {
    // What came back when it was asked was no answer, and may say more than silence all the same.
    let received = |event: &LineEvent| event.direction == Direction::Rx && event.seen != Seen::Marker;
    if found.verdict == Verdict::Silent && !records.iter().filter_map(Record::event).any(received) {
        return diagnose_silence(header.settings, header.line_errors, header.uncertainty);
    }
    let best = found.settings.first();
    let (settings, heard) = stretch(header, best.map(|best| best.settings), records);
    let header = Header { settings, ..*header };
    let all = programs();
    let named = best.and_then(|best| best.protocol.as_ref());
    let valid = named.is_some_and(|named| named.valid > 0);
    let named = named.and_then(|named| all.iter().find(|program| *program.table().name == *named.name));
    let program = named.cloned().or_else(|| likeliest(&all, &header, &heard));
    let Some(program) = program else {
        return diagnose_silence(header.settings, header.line_errors, header.uncertainty);
    };
    let observed = observe(&program, &header, &heard, &Env::new(), &|| all.clone());
    let items: Vec<&Item> = observed.items.iter().map(|(item, _)| &**item).collect();
    let items = within(&items);
    let healthy = !items.is_empty() && items.iter().all(|item| item.is_clean());
    let told = observed.diagnosis;
    let mass = |wanted: fn(&Settings) -> bool| -> f64 {
        found.settings.iter().filter(|one| wanted(&one.settings)).map(|one| one.probability).sum()
    };
    // What only a comparison of rates, polarities and bit orders can know, the search knows better than one stretch does.
    let known = [
        (Cause::RateIgnored, if found.rate_has_no_effect { 1.0 } else { 0.0 }),
        (Cause::Inverted, mass(|settings| settings.inverted)),
        (Cause::BitOrder, mass(|settings| settings.msb_first)),
    ];
    // What the sweep verified needs no further frames.
    let verified = best.filter(|best| healthy && best.verified && valid);
    let told = told.knowing(Cause::Clean, verified.map_or(0.0, |best| best.probability));
    known.into_iter().fold(told, |told, (cause, probability)| told.knowing(cause, probability))
}

/// Without the pieces of frames in the middle of which the sweep began and ended to listen at these settings.
fn within<'i>(items: &'i [&'i Item]) -> &'i [&'i Item] {
    let is_piece =
        |item: Option<&&Item>| item.is_some_and(|item| matches!(item.kind, ItemKind::Unexpected(_)));
    if items.len() <= 2 {
        return items;
    }
    let (first, last) = (is_piece(items.first()), is_piece(items.last()));
    &items[usize::from(first)..items.len() - usize::from(last)]
}

/// The last stretch at these settings, or one at this rate as a receiver with these settings would have reported it, or else the longest
/// one; with the settings that held.
fn stretch(header: &Header, wanted: Option<Settings>, records: &[Record]) -> (Settings, Vec<Record>) {
    let first = header.settings;
    let mut stretches: Vec<(Settings, Vec<Record>)> = vec![(first, Vec::new())];
    for record in records {
        match (&record.what, stretches.last_mut()) {
            (What::Set(settings), Some((now, _))) if settings != now => {
                stretches.push((*settings, Vec::new()))
            }
            (What::Seen(_), Some((_, heard))) => heard.push(*record),
            _ => {}
        }
    }
    let last = |fits: &dyn Fn(&Settings, Settings) -> bool| {
        let fits = |(settings, heard): &&(Settings, Vec<Record>)| {
            let near = |wanted: Settings| (settings.baud.hz() / wanted.baud.hz()).ln().abs() < 0.03;
            wanted.is_some_and(|wanted| near(wanted) && fits(settings, wanted)) && !heard.is_empty()
        };
        stretches.iter().rev().find(fits)
    };
    let newest = |heard: &[Record]| heard[heard.len().saturating_sub(MOST_RECORDS)..].to_vec();
    if let Some((settings, heard)) = last(&|settings, wanted| settings.format == wanted.format) {
        return (*settings, newest(heard));
    }
    // Where flags belong to single characters, one that was heard as 8N1 tells what another format would have made of it.
    let tells = header.line_errors == LineErrors::PerByte && wanted.is_some_and(|wanted| !wanted.inverted);
    let as_8n1 = last(&|settings, _| settings.format == Format::N8).filter(|_| tells);
    if let Some(((settings, heard), wanted)) = as_8n1.zip(wanted) {
        let as_found = |record: Record| match record.what {
            What::Seen(event) => Record { what: What::Seen(decoded(&event, *settings, wanted)), ..record },
            _ => record,
        };
        let found = Settings { format: wanted.format, ..*settings };
        return (found, newest(heard).into_iter().map(as_found).collect());
    }
    let longest = stretches.iter().max_by_key(|(_, heard)| heard.len());
    longest.map_or((first, Vec::new()), |(settings, heard)| (*settings, newest(heard)))
}
